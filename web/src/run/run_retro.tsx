// A look back at one run, computed by the server from its log.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { path } from '../api/client';
import { optionalQuery } from '../api/queries';
import { duration, many, money } from '../ui/format';
import { Bones, Empty, Trouble } from '../ui/states';

interface Standing {
  value: number;
  compared: number;
  p50: number;
  p90: number;
}
interface Retro {
  unavailable?: string;
  outcome: string;
  smoothness: string;
  total_ms: number;
  queued_ms: number;
  working_ms: number;
  waiting_ms: number;
  usage: { cost_usd: number };
  retries: number;
  reworks: number;
  interruptions: number;
  friction: { kind: string; step: string | null; attempt: number; failure_class: string | null; message: string; at: string }[];
  failed_contracts: { step: string; type: string; message: string; errors: string[] }[];
  gates: { step: string; outcome: string | null; choice: string | null; by: string | null; waited_ms: number }[];
  files: string[] | { path: string }[];
  comparison?: { earlier_runs: number; duration_ms: Standing | null; cost_usd: Standing | null };
}

function Fact({ label, value, sub }: { label: string; value: string; sub?: string | undefined }) {
  return <div><p className="quiet small">{label}</p><p className="tabular" style={{ fontSize: 'var(--text-xl)', fontWeight: 600 }}>{value}</p>{sub && <p className="small quiet">{sub}</p>}</div>;
}

const against = (standing: Standing | null | undefined, say: (value: number) => string) =>
  standing && standing.compared > 0 ? `half of ${standing.compared} earlier ones: up to ${say(standing.p50)}` : undefined;

export function RunRetro({ runId, over }: { runId: string; over: boolean }) {
  const { data, error, isPending } = useQuery({ ...optionalQuery<Retro>('retro', path`/api/runs/${runId}/retro`), enabled: over });
  if (!over) return <Empty icon="chart" title="Not yet"><p>When the run has ended, this looks back at it.</p></Empty>;
  if (isPending) return <Bones rows={5} label="Looking back" />;
  if (error) return <Trouble error={error} />;
  if (data.unavailable) return <Empty icon="chart" title="No retrospective"><p>{data.unavailable}</p></Empty>;
  return (
    <div className="stack" style={{ padding: 'var(--s4)' }}>
      <div className="row wrap" style={{ gap: 'var(--s6)', alignItems: 'flex-start' }}>
        <Fact label="It went" value={data.smoothness.replaceAll('_', ' ')} />
        <Fact label="Took" value={duration(data.total_ms)} sub={against(data.comparison?.duration_ms, duration)} />
        <Fact label="Worked" value={duration(data.working_ms)} />
        <Fact label="Waited" value={duration(data.waiting_ms + data.queued_ms)} sub={data.queued_ms > 0 ? `${duration(data.queued_ms)} of it in the queue` : undefined} />
        <Fact label="Cost" value={money(data.usage.cost_usd)} sub={against(data.comparison?.cost_usd, money)} />
        <Fact label="Tried again" value={String(data.retries + data.reworks)} sub={`${many(data.retries, 'retry', 'retries')}, ${many(data.reworks, 'rework')}`} />
      </div>
      <section>
        <h2 style={{ marginBottom: 'var(--s2)' }}>Where it did not go by itself</h2>
        {data.friction.length === 0 ? <p className="quiet">Nowhere: every step was done the first time.</p> : (
          <ul className="stack tight">
            {data.friction.map((one, i) => (
              <li key={i} className="contract">
                <p className="small"><strong>{one.kind.replaceAll('_', ' ')}</strong>{one.step && <> · <Link to="." search={(old: object) => ({ ...old, tab: undefined, step: one.step ?? undefined })}>{one.step}</Link></>}{one.failure_class && <span className="quiet"> · {one.failure_class.replaceAll('_', ' ')}</span>}</p>
                <p className="small" style={{ overflowWrap: 'anywhere' }}>{one.message}</p>
              </li>
            ))}
          </ul>
        )}
      </section>
      {data.gates.length > 0 && (
        <section>
          <h2 style={{ marginBottom: 'var(--s2)' }}>Gates</h2>
          <ul className="stack tight small">{data.gates.map((gate, i) => <li key={i}><strong>{gate.step}</strong>: {gate.choice ?? gate.outcome}{gate.by && ` by ${gate.by}`} <span className="quiet">after {duration(gate.waited_ms)}</span></li>)}</ul>
        </section>
      )}
      {data.files?.length > 0 && (
        <section>
          <h2 style={{ marginBottom: 'var(--s2)' }}>Files touched</h2>
          <ul className="small mono">{data.files.slice(0, 50).map((file) => { const name = typeof file === 'string' ? file : file.path; return <li key={name}>{name}</li>; })}</ul>
        </section>
      )}
    </div>
  );
}
