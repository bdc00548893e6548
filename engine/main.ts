// The reference engine as a process. Refuses nothing itself; see config.ts for its settings and serve.ts for its life.

import { serve } from './serve.ts'

await serve()
