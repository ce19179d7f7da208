// What stands where content is not: its bones, an error with a remedy, or a word on why there is nothing.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ApiError } from '../api/client';
import { Icon, type IconName } from './icons';

export function Bones({ rows = 4, height = 20, label = 'Loading' }: { rows?: number; height?: number; label?: string }) {
  return (
    <div className="stack" role="status" aria-label={label} style={{ padding: 'var(--s4)' }}>
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} className="bone" style={{ height, width: `${92 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

/** `page`: it stands for the whole page, whose heading it has then. */
export function Trouble({ error, retry, page = false }: { error: unknown; retry?: () => void; page?: boolean }) {
  const Heading = page ? 'h1' : 'h2';
  const problem = error instanceof ApiError ? error.problem : null;
  const missing = problem?.status === 404 || problem?.status === 410;
  return (
    <div className="empty" role="alert">
      <Icon name={missing ? 'search' : 'server'} size={32} />
      <Heading className="as-h2">{missing ? 'There is nothing here' : problem?.title ?? 'Something went wrong here'}</Heading>
      <p>{(error as Error).message}</p>
      {problem?.hint && <p className="quiet">{problem.hint}</p>}
      {problem?.request_id && <p className="quiet small">Request <code>{problem.request_id}</code></p>}
      <div className="row">
        {retry && !missing && <button className="button" onClick={retry}>Try again</button>}
        <Link to="/" className="button">All runs</Link>
      </div>
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} size={32} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function PageHead({ title, children, actions }: { title: ReactNode; children?: ReactNode; actions?: ReactNode }) {
  return (
    <header className="page-head">
      <div className="titles">
        <h1>{title}</h1>
        {children}
      </div>
      {actions && <div className="row wrap">{actions}</div>}
    </header>
  );
}
