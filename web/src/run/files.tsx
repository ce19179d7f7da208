// Which files a run changed, and how.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense } from 'react';
import { diffQuery } from '../api/queries';
import { Bones, Empty, Trouble } from '../ui/states';
import { lazily } from '../ui/lazily';

const FileDiff = lazily(() => import('./file_diff'));
const letters: Record<string, string> = { added: 'A', modified: 'M', deleted: 'D', renamed: 'R' };

export function Files({ runId, selected }: { runId: string; selected: string | undefined }) {
  const { data, error, isPending, refetch } = useQuery(diffQuery(runId));
  if (isPending) return <Bones rows={6} label="Loading changed files" />;
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data.available || data.files.length === 0) return <Empty icon="branch" title="No file was changed"><p>{data.message ?? 'Steps that work in a git worktree show here what they changed.'}</p></Empty>;
  const chosen = data.files.find((file) => file.path === selected) ?? data.files[0]!;
  return (
    <>
      <p className="small quiet" style={{ padding: 'var(--s3) var(--s4)', borderBottom: '1px solid var(--line)' }}>
        {data.total_files} {data.total_files === 1 ? 'file' : 'files'}, <span className="plus">+{data.total_additions}</span> <span className="minus">−{data.total_deletions}</span>
        {data.branch && <> on <code>{data.branch}</code></>}
      </p>
      <div className="split">
        <ul aria-label="Changed files">
          {data.files.map((file) => (
            <li key={file.path}>
              <Link to="." search={(old: object) => ({ ...old, file: file.path })} replace resetScroll={false} aria-current={file === chosen ? 'true' : undefined} data-here={file === chosen || undefined} title={file.path}>
                <span className="truncate"><span className="quiet mono" title={file.status}>{letters[file.status] ?? '?'}</span> {file.path}</span>
                <span className="small tabular"><span className="plus">+{file.additions}</span> <span className="minus">−{file.deletions}</span></span>
              </Link>
            </li>
          ))}
        </ul>
        <div tabIndex={0} role="region" aria-label={`Changes of ${chosen.path}`}>
          <Suspense fallback={<Bones rows={8} />}><FileDiff runId={runId} file={chosen.path} key={chosen.path} /></Suspense>
        </div>
      </div>
    </>
  );
}
