// What the steps made, shown as what it is.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense } from 'react';
import { base } from '../api/base';
import { artifactQuery, artifactUrl } from '../api/queries';
import type { Artifact } from '../api/types';
import { bytes } from '../ui/format';
import { Icon } from '../ui/icons';
import { Bones, Empty, Trouble } from '../ui/states';
import { JsonTree } from './json_tree';
import { lazily } from '../ui/lazily';

const Markdown = lazily(() => import('./markdown'));
const isImage = (name: string) => /\.(png|jpe?g|gif|webp|avif)$/i.test(name);

function Content({ runId, artifact }: { runId: string; artifact: Artifact }) {
  const picture = isImage(artifact.path ?? artifact.name);
  const binary = artifact.type === 'binary' && !picture;
  const { data, error, isPending } = useQuery({ ...artifactQuery(runId, artifact), enabled: !picture && !binary });
  if (picture) return <img src={artifactUrl(runId, artifact)} alt={artifact.name} style={{ maxWidth: '100%' }} />;
  if (binary) return <p className="quiet">These are bytes: download them to look inside.</p>;
  if (error) return <Trouble error={error} />;
  if (isPending) return <Bones rows={6} label="Loading the artifact" />;
  const markdown = artifact.type === 'markdown' || /\.(md|markdown)$/i.test(artifact.path ?? '');
  if (artifact.type === 'json' || artifact.path?.endsWith('.json')) {
    try {
      return <JsonTree value={JSON.parse(data) as unknown} />;
    } catch {
      return <><p className="note warn small">This does not parse as JSON.</p><pre className="code wrap">{data}</pre></>;
    }
  }
  if (markdown) return <Suspense fallback={<Bones rows={6} />}><Markdown text={data} /></Suspense>;
  return <pre className="code wrap">{data}</pre>;
}

export function Artifacts({ runId, artifacts, selected }: { runId: string; artifacts: readonly Artifact[]; selected: string | undefined }) {
  if (artifacts.length === 0) return <Empty icon="file" title="Nothing was made yet"><p>What steps declare under <code>output_artifacts</code> appears here when they are done.</p></Empty>;
  const chosen = artifacts.find((one) => `${one.step}/${one.name}` === selected) ?? artifacts[artifacts.length - 1]!;
  return (
    <div className="split">
      <ul aria-label="Artifacts">
        {artifacts.map((one) => (
          <li key={`${one.step}/${one.name}`}>
            <Link to="." search={(old: object) => ({ ...old, artifact: `${one.step}/${one.name}` })} replace resetScroll={false} aria-current={one === chosen ? 'true' : undefined} data-here={one === chosen || undefined}>
              <span style={{ minWidth: 0 }}><span className="truncate" style={{ display: 'block', fontWeight: 560 }}>{one.name}</span><span className="quiet small">{one.step}</span></span>
              <span className="quiet small tabular">{bytes(one.size)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <div style={{ padding: 'var(--s4)' }} tabIndex={0} role="region" aria-label={`Artifact ${chosen.name}`}>
        <div className="row spread wrap" style={{ marginBottom: 'var(--s3)' }}>
          <div><h2>{chosen.name}</h2><p className="small quiet">{chosen.type ?? 'text'} · {bytes(chosen.size)} · <span className="mono" title={chosen.sha256}>{chosen.sha256.slice(0, 12)}</span></p></div>
          <a className="button small" href={base + artifactUrl(runId, chosen)} download={(chosen.path ?? chosen.name).split('/').pop()}><Icon name="down" size={14} />Download</a>
        </div>
        {chosen.size > 1 << 20 && <p className="note small" style={{ marginBottom: 'var(--s3)' }}>Only the first mebibyte is shown.</p>}
        <Content runId={runId} artifact={chosen} key={chosen.sha256} />
      </div>
    </div>
  );
}
