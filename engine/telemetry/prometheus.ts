// The Prometheus text format, version 0.0.4. Refuses a label's value nothing: it escapes what the format needs escaped.

export interface Series {
  name: string
  help: string
  type: 'gauge' | 'counter'
  /** A null value is left out: there is nothing to say. */
  samples: { labels?: Record<string, string>; value: number | null }[]
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

export function textOf(series: readonly Series[]): string {
  const blocks = series.flatMap(({ name, help, type, samples }) => {
    const lines = samples.flatMap(({ labels = {}, value }) => {
      if (value === null) return []
      const inside = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
      return [`${name}${inside.length > 0 ? `{${inside.join(',')}}` : ''} ${value}`]
    })
    return lines.length > 0 ? [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines] : []
  })
  return `${blocks.join('\n')}\n`
}
