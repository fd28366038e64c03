/** Loads a script, which is plain JavaScript, by the type that a test expects of it. */
export async function loadScript<T>(name: string): Promise<T> {
  const url = new URL(`../../scripts/${name}`, import.meta.url).href;
  return (await import(/* @vite-ignore */ url)) as T;
}
