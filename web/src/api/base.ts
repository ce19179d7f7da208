// Where the server is: '' at the root of its host, '/wave' below a path (server.base_path). Built scripts lie in
// <base>/assets, so their own address says it; so it does in the shared worker.
export const base: string = import.meta.env.DEV ? '' : new URL('..', import.meta.url).pathname.replace(/\/$/, '');

/** The path without the base, as routes have it. */
export function withoutBase(path: string): string {
  return base !== '' && (path === base || path.startsWith(`${base}/`)) ? path.slice(base.length) || '/' : path;
}
