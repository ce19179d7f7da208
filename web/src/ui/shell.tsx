// What surrounds every page: where one can go, whether what one sees is live, and who one is.
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { Suspense, useEffect, useRef, useState } from 'react';
import { withoutBase } from '../api/base';
import { gatesQuery, healthQuery, sessionQuery } from '../api/queries';
import type { ConnectionState } from '../live/connection';
import { useConnection } from '../live/hooks';
import { live } from '../live/live';
import { Icon, Mark, type IconName } from './icons';
import { useKeys } from './keys';
import { setTheme, useTheme } from './theme';
import { setWaiting } from './title';
import { Toasts } from './toasts';
import { lazily } from './lazily';

const Palette = lazily(() => import('./palette'));
const KeyList = lazily(() => import('./key_list'));

const places: { title: string; items: { to: string; label: string; icon: IconName }[] }[] = [
  { title: 'Work', items: [{ to: '/', label: 'Runs', icon: 'runs' }, { to: '/new', label: 'New run', icon: 'plus' }] },
  {
    title: 'Project',
    items: [
      { to: '/pipelines', label: 'Pipelines', icon: 'pipeline' }, { to: '/personas', label: 'Personas', icon: 'persona' },
      { to: '/contracts', label: 'Contracts', icon: 'contract' }, { to: '/adapters', label: 'Adapters', icon: 'adapter' },
    ],
  },
  {
    title: 'Operation',
    items: [
      { to: '/retros', label: 'Retrospectives', icon: 'chart' }, { to: '/activity', label: 'Activity', icon: 'activity' },
      { to: '/server', label: 'Server', icon: 'server' },
    ],
  },
];

const words: Record<ConnectionState, { label: string; tone: string; title: string }> = {
  connecting: { label: 'Connecting', tone: 'idle', title: 'The stream of events is being opened' },
  live: { label: 'Live', tone: 'ok', title: 'What you see is what is: events arrive as they happen' },
  catching_up: { label: 'Catching up', tone: 'run', title: 'Connected again; what happened meanwhile is arriving' },
  offline: { label: 'Offline', tone: 'bad', title: 'No connection: what you see may be old. It is tried again by itself' },
  signed_out: { label: 'Signed out', tone: 'warn', title: 'The server asks who you are' },
};

function ConnectionSign() {
  const state = useConnection();
  const word = words[state];
  return (
    <div className={`connection tone-${word.tone}`} title={word.title} role="status" data-connection={state}>
      <span className="dot" />
      <span>{word.label}</span>
      {state === 'offline' && <button className="button plain small" onClick={() => live.nudge()}>Try now</button>}
    </div>
  );
}

const nextTheme = { system: 'light', light: 'dark', dark: 'system' } as const;

function ThemeButton() {
  const theme = useTheme();
  const said = theme === 'system' ? 'as the system has it' : theme;
  return (
    <button className="button plain icon" aria-label={`Theme: ${said}; change it`} title={`Theme: ${said}`} onClick={() => setTheme(nextTheme[theme])}>
      <Icon name={theme === 'dark' ? 'moon' : theme === 'light' ? 'sun' : 'system'} />
    </button>
  );
}

function Banners() {
  const state = useConnection();
  const demo = useQuery(healthQuery).data?.demo;
  return (
    <>
      {demo && <div className="banner" role="region" aria-label="Demo">This is the demo: its agents are scripts, and whoever reaches this server is admin. Do not put anything here that matters.</div>}
      {state === 'offline' && <div className="banner bad" role="alert">Offline. What you see may be old; it goes on by itself as soon as the server answers.</div>}
    </>
  );
}

function NavItem({ to, label, icon, count }: { to: string; label: string; icon: IconName; count?: number }) {
  return (
    <Link to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
      <Icon name={icon} />
      <span>{label}</span>
      {count ? <span className="count" aria-label={`${count} waiting for you`}>{count}</span> : null}
    </Link>
  );
}

export function Shell() {
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  const navigate = useNavigate();
  const waiting = useQuery(gatesQuery).data?.gates.filter(({ gate }) => gate.type !== 'timer').length ?? 0;
  const state = useConnection();
  const session = useQuery(sessionQuery).data;
  useEffect(() => setWaiting(waiting), [waiting]);
  useEffect(() => {
    if (state === 'signed_out' && withoutBase(location.pathname) !== '/login') void navigate({ to: '/login', search: { next: withoutBase(location.pathname) + location.search } });
  }, [state, navigate]);
  useKeys({
    'mod+k': () => setPalette(true), '/': () => setPalette(true), '?': () => setKeys(true),
    'g r': () => void navigate({ to: '/' }), 'g n': () => void navigate({ to: '/new' }),
    'g p': () => void navigate({ to: '/pipelines' }), 'g s': () => void navigate({ to: '/server' }),
    'g t': () => void navigate({ to: '/retros' }), 'g a': () => void navigate({ to: '/activity' }),
    c: () => void navigate({ to: '/new' }),
  });

  // A new page is announced by moving to it, as a browser does.
  const main = useRef<HTMLElement>(null);
  const where = useRouterState({ select: (router) => router.location.pathname });
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [where]);

  return (
    <>
      <a className="skip button primary" href="#main">Skip to the content</a>
      <div className="shell">
        <nav className="side" aria-label="Main">
          <Link to="/" className="brand"><Mark />wave</Link>
          <button className="button row spread" onClick={() => setPalette(true)}>
            <span className="row"><Icon name="search" size={16} />Find or do</span><kbd>Ctrl K</kbd>
          </button>
          <div className="nav">
            {places.map((group) => (
              <div key={group.title} className="nav" role="group" aria-label={group.title}>
                <h2 aria-hidden="true">{group.title}</h2>
                {group.items.map((item) => <NavItem key={item.to} {...item} count={item.to === '/' ? waiting : 0} />)}
              </div>
            ))}
          </div>
          <div className="foot">
            <ConnectionSign />
            <div className="row spread">
              <span className="small quiet truncate" style={{ paddingLeft: 'var(--s2)' }} title={session?.role ? `Role: ${session.role}` : undefined}>
                {session?.subject ?? session?.actor ?? ''}
              </span>
              <span className="row" style={{ gap: 0 }}>
                <button className="button plain icon" aria-label="Keys" title="Keys (?)" onClick={() => setKeys(true)}><kbd>?</kbd></button>
                <ThemeButton />
              </span>
            </div>
          </div>
        </nav>
        <div style={{ minWidth: 0 }}>
          <div className="topbar" role="navigation" aria-label="Top">
            <Link to="/" className="brand"><Mark size={22} />wave</Link>
            <ConnectionSign />
            <ThemeButton />
          </div>
          <Banners />
          <main id="main" className="main" ref={main} tabIndex={-1}>
            <Outlet />
          </main>
        </div>
      </div>
      <nav className="tabbar" aria-label="Main, for small screens">
        <NavItem to="/" label="Runs" icon="runs" count={waiting} />
        <NavItem to="/new" label="New run" icon="plus" />
        <NavItem to="/pipelines" label="Pipelines" icon="pipeline" />
        <button onClick={() => setPalette(true)}><Icon name="search" />More</button>
      </nav>
      <Suspense fallback={null}>
        {palette && <Palette onClose={() => setPalette(false)} places={places.flatMap((group) => group.items)} />}
        {keys && <KeyList onClose={() => setKeys(false)} />}
      </Suspense>
      <Toasts />
    </>
  );
}
