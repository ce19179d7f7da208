// One way to the API: errors become ApiError with the server's own words.
import { base } from './base';
import type { Problem } from './types';

export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = 'ApiError';
    this.problem = problem;
  }
  get status(): number {
    return this.problem.status;
  }
}

let csrfToken: string | null = null;
let signedOut: (() => void) | null = null;

/** The token that changing calls of a cookie session carry. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Called when the server says that nobody is signed in. */
export function onSignedOut(call: () => void): void {
  signedOut = call;
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback: Problem = { title: response.statusText || 'Error', status: response.status };
  try {
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null) return { ...fallback, ...(body as Problem) };
  } catch {
    // Not ours: a proxy's page, or nothing.
  }
  return fallback;
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const method = init.method ?? 'GET';
  if (method !== 'GET' && csrfToken) headers.set('X-CSRF-Token', csrfToken);
  if (typeof init.body === 'string' && !headers.has('Content-Type')) {
    headers.set('Content-Type', 'application/json');
  }
  let response: Response;
  try {
    response = await fetch(base + path, { ...init, headers, credentials: 'same-origin' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError({
      title: 'No connection', status: 0, code: 'unreachable',
      detail: 'The server does not answer.', hint: 'It may be restarting: this page tries again by itself.',
    });
  }
  if (response.ok || response.status === 204) return response;
  const problem = await problemOf(response);
  if (response.status === 401 && !path.startsWith('/api/login')) signedOut?.();
  throw new ApiError(problem);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, { headers: { Accept: 'application/json' }, signal: signal ?? null });
  return (await response.json()) as T;
}

export async function send<T>(
  method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers?: Record<string, string>,
): Promise<T> {
  const response = await request(path, {
    method, headers: headers ?? {}, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** A path with its parts encoded: path`/api/runs/${id}`. */
export function path(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return parts.reduce(
    (whole, part, i) => whole + part + (i < values.length ? encodeURIComponent(String(values[i])) : ''), '');
}

export function query(values: Record<string, string | number | string[] | undefined | null>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}
