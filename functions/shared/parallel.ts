/** Runs `work` over all items, at most `lanes` at a time, and answers in the items' order. The first failure ends it. */
export async function inParallel<In, Out>(items: readonly In[], lanes: number, work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = new Array(items.length);
  let next = 0;
  async function lane() {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as In);
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
  return results;
}
