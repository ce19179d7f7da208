// The audit log: who did what, from where, and what came of it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { optionalQuery } from '../api/queries';
import { Icon } from '../ui/icons';
import { Bones, Empty, PageHead, Trouble } from '../ui/states';
import { Ago } from '../ui/time';
import { useTitle } from '../ui/title';

interface Entry {
  seq?: number;
  id?: number;
  ts?: string;
  at?: string;
  actor?: string | null;
  address?: string | null;
  action?: string;
  operation?: string;
  method?: string;
  path?: string;
  target?: string | null;
  subject?: string | null;
  run_id?: string | null;
  outcome?: string;
  status?: number;
  detail?: string | null;
}
interface Audit {
  unavailable?: string;
  entries?: Entry[];
  audit?: Entry[];
}

export default function Activity() {
  useTitle('Activity');
  const { data, error, isPending, refetch } = useQuery(optionalQuery<Audit>('audit', '/api/audit?limit=200'));
  const entries = data?.entries ?? data?.audit ?? [];
  return (
    <>
      <PageHead title="Activity" actions={<button className="button" onClick={() => void refetch()}><Icon name="retry" size={15} />Look again</button>}>
        <p>Who did what, from where, and what came of it. Entries are chained by hash: none can be taken out unseen.</p>
      </PageHead>
      {isPending ? <Bones rows={8} label="Loading the audit log" /> : error ? <Trouble error={error} retry={() => void refetch()} />
        : data.unavailable ? <Empty icon="activity" title="The audit log is not for you to see"><p>{data.unavailable}</p></Empty>
          : entries.length === 0 ? <Empty icon="activity" title="Nothing was done yet"><p>Every call that changes something, and every login, is kept here.</p></Empty> : (
            <section className="card scroll-x" tabIndex={0} aria-label="Audit log">
              <table className="table">
                <thead><tr><th>When</th><th>Who</th><th>What</th><th>On</th><th>Outcome</th><th>From</th></tr></thead>
                <tbody>
                  {entries.map((entry, i) => {
                    const run = entry.run_id ?? /\/runs\/([^/]+)/.exec(entry.path ?? '')?.[1];
                    const bad = entry.status !== undefined ? entry.status >= 400 : /fail|denied|refused|error/.test(entry.outcome ?? '');
                    return (
                      <tr key={entry.seq ?? entry.id ?? i}>
                        <td className="nowrap"><Ago time={entry.ts ?? entry.at} /></td><td>{entry.actor ?? '–'}</td>
                        <td className="nowrap">{entry.action ?? entry.operation ?? `${entry.method ?? ''} ${entry.path ?? ''}`}</td>
                        <td>{run ? <Link to="/runs/$runId" params={{ runId: run }} className="mono small">{run}</Link> : entry.target ?? entry.subject ?? entry.path ?? '–'}</td>
                        <td style={bad ? { color: 'var(--bad)' } : undefined}>{entry.outcome ?? entry.status ?? '–'}{entry.detail && <span className="quiet small"> {entry.detail}</span>}</td>
                        <td className="mono small quiet">{entry.address ?? '–'}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </section>
          )}
    </>
  );
}
