/** How many deliveries a consumer has taken since its process began, by the text of its `/metrics`. */
export function deliveriesTaken(metrics: string): number {
  const counts = [...metrics.matchAll(/^taskflow_consumer_deliveries_total\{.*status="SUCCESS".*\} (\d+)/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}
