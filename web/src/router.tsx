// Where everything is. Each screen is a chunk of its own, fetched when it is needed.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router';
import { base } from './api/base';
import { Shell } from './ui/shell';
import { Bones, Trouble } from './ui/states';

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;
const list = (value: unknown): string[] | undefined => {
  const all = (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String).filter(Boolean);
  return all.length > 0 ? all : undefined;
};

export interface RunsSearch { status?: string[] | undefined; pipeline?: string | undefined; q?: string | undefined; since?: string | undefined }
export interface NewSearch { pipeline?: string | undefined; from?: string | undefined }
export interface RunSearch {
  tab?: string | undefined; step?: string | undefined; attempt?: string | undefined; view?: string | undefined; seq?: string | undefined;
  line?: string | undefined; file?: string | undefined; artifact?: string | undefined;
}

const root = createRootRoute({ component: Outlet });
const app = createRoute({ getParentRoute: () => root, id: 'app', component: Shell });
const page = { getParentRoute: () => app } as const;

const runs = createRoute({
  ...page, path: '/', component: lazyRouteComponent(() => import('./screens/runs')),
  validateSearch: (search: Record<string, unknown>): RunsSearch => ({
    status: list(search.status), pipeline: text(search.pipeline), q: text(search.q), since: text(search.since),
  }),
});
const newRun = createRoute({
  ...page, path: '/new', component: lazyRouteComponent(() => import('./screens/new_run')),
  validateSearch: (search: Record<string, unknown>): NewSearch => ({ pipeline: text(search.pipeline), from: text(search.from) }),
});
const run = createRoute({
  ...page, path: '/runs/$runId', component: lazyRouteComponent(() => import('./screens/run')),
  validateSearch: (search: Record<string, unknown>): RunSearch => ({
    tab: text(search.tab), step: text(search.step), attempt: text(search.attempt), view: text(search.view), seq: text(search.seq),
    line: text(search.line), file: text(search.file), artifact: text(search.artifact),
  }),
});
const pipelines = createRoute({ ...page, path: '/pipelines', component: lazyRouteComponent(() => import('./screens/pipelines')) });
const pipeline = createRoute({ ...page, path: '/pipelines/$name', component: lazyRouteComponent(() => import('./screens/pipeline')) });
const personas = createRoute({ ...page, path: '/personas', component: lazyRouteComponent(() => import('./screens/personas')) });
const persona = createRoute({ ...page, path: '/personas/$name', component: lazyRouteComponent(() => import('./screens/persona')) });
const contracts = createRoute({ ...page, path: '/contracts', component: lazyRouteComponent(() => import('./screens/contracts')) });
const contract = createRoute({ ...page, path: '/contracts/$name', component: lazyRouteComponent(() => import('./screens/contract')) });
const adapters = createRoute({ ...page, path: '/adapters', component: lazyRouteComponent(() => import('./screens/adapters')) });
const retros = createRoute({ ...page, path: '/retros', component: lazyRouteComponent(() => import('./screens/retros')) });
const activity = createRoute({ ...page, path: '/activity', component: lazyRouteComponent(() => import('./screens/activity')) });
const server = createRoute({ ...page, path: '/server', component: lazyRouteComponent(() => import('./screens/server')) });
const login = createRoute({
  getParentRoute: () => root, path: '/login', component: lazyRouteComponent(() => import('./screens/login')),
  validateSearch: (search: Record<string, unknown>): { next?: string | undefined } => ({ next: text(search.next) }),
});

// Plain addresses: `?status=failed&status=rejected&line=12`, nothing quoted.
function parseSearch(search: string): Record<string, unknown> {
  const values: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    const before = values[name];
    values[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return values;
}
function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null && one !== '') params.append(name, String(one));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

export const router = createRouter({
  basepath: base || '/',
  parseSearch,
  stringifySearch,
  routeTree: root.addChildren([
    app.addChildren([runs, newRun, run, pipelines, pipeline, personas, persona, contracts, contract, adapters, retros, activity, server]),
    login,
  ]),
  defaultPreload: 'intent',
  defaultPendingMs: 150,
  defaultPendingComponent: () => <Bones rows={6} />,
  defaultErrorComponent: ({ error, reset }) => <Trouble page error={error} retry={reset} />,
  defaultNotFoundComponent: () => <Trouble page error={new Error('There is no page at this address.')} />,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
