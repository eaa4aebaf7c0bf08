/** Metrics in the text format that Prometheus scrapes. https://prometheus.io/docs/instrumenting/exposition_formats/ */
import type { Metrics, Series, SeriesId } from "./metrics.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * One family for each metric: sums are counters since the server started, levels are the highest of this minute and the last,
 * distributions are summaries without quantiles and beside them the highest value of this minute and the last. The metrics of
 * customers' own namespaces are one family, `custom_metric`, with namespace, name and unit as labels: two names that look alike in
 * Prometheus's letters stay apart.
 */
export function prometheusText(metrics: Metrics): string {
  const since = metrics.minute() - 1;
  const families = new Map<string, string[]>();
  const write = (name: string, type: string, ...samples: string[]) => {
    const family = families.get(name) ?? [`# TYPE ${name} ${type}`];
    family.push(...samples);
    families.set(name, family);
  };
  for (const series of metrics.all()) {
    const name = familyName(series.id);
    const labels = labelsOf(series.id);
    if (series.id.kind === "sum") write(`${name}_total`, "counter", `${name}_total${labels} ${series.sum}`);
    else if (series.id.kind === "level")
      write(name, "gauge", `${name}${labels} ${series.highestSince(since)}`);
    else writeDistribution(write, name, labels, series, since);
  }
  return [...families.values()].flatMap((lines) => [...lines, ""]).join("\n");
}

function writeDistribution(
  write: (name: string, type: string, ...samples: string[]) => void,
  name: string,
  labels: string,
  series: Series,
  since: number,
): void {
  write(name, "summary", `${name}_sum${labels} ${series.sum}`, `${name}_count${labels} ${series.count}`);
  write(`${name}_max`, "gauge", `${name}_max${labels} ${series.highestSince(since)}`);
}

/** `AWS/Lambda` and `PostRuntimeExtensionsDuration` are `aws_lambda_post_runtime_extensions_duration_milliseconds`. */
function familyName({ namespace, name, unit }: SeriesId): string {
  if (!namespace.startsWith("AWS/")) return "custom_metric";
  const family = `${snake(namespace)}_${snake(name)}`;
  return unit === "Milliseconds" && !family.endsWith("_milliseconds") ? `${family}_milliseconds` : family;
}

function labelsOf({ account, region, dimensions, namespace, name, unit }: SeriesId): string {
  const labels: Record<string, string> = { account, region };
  if (namespace.startsWith("AWS/"))
    for (const [dimension, value] of Object.entries(dimensions)) labels[snake(dimension)] = value;
  else {
    Object.assign(labels, { namespace, metric: name, unit });
    for (const [dimension, value] of Object.entries(dimensions)) labels[freeLabel(labels, dimension)] = value;
  }
  return `{${Object.entries(labels)
    .map(([label, value]) => `${label}="${escaped(value)}"`)
    .join(",")}}`;
}

/** `dimension_<Name>`; a number follows where two names have the same letters. */
function freeLabel(taken: Readonly<Record<string, string>>, dimension: string): string {
  const label = `dimension_${dimension.replaceAll(/\W/g, "_")}`;
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? label : `${label}_${number}`;
    if (!(numbered in taken)) return numbered;
  }
}

function snake(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
