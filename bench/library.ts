/**
 * A file of the built package that `goodness` itself doesn't export: benches look at parts that programs needn't.
 * @param path from dist/, without an extension
 */
export async function library<T>(path: string): Promise<T> {
  return (await import(new URL(`${path}.js`, import.meta.resolve('goodness')).href)) as T;
}
