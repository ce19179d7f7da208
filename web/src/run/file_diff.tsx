import 'react-diff-view/style/index.css';
import './file_diff.css';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Diff, Hunk, parseDiff } from 'react-diff-view';
import { fileDiffQuery } from '../api/queries';
import { Bones, Trouble } from '../ui/states';

/** What git says before the first hunk; the parser wants it. */
function withHead(content: string, path: string): string {
  return content.startsWith('diff --git') ? content : `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n${content.replace(/^(---|\+\+\+) .*\n/gm, '')}`;
}

export default function FileDiff({ runId, file }: { runId: string; file: string }) {
  const { data, error, isPending } = useQuery(fileDiffQuery(runId, file));
  const [split, setSplit] = useState(() => innerWidth > 1100);
  const parsed = useMemo(() => (data?.content ? parseDiff(withHead(data.content, data.path))[0] : undefined), [data]);
  if (isPending) return <Bones rows={8} label="Loading the change" />;
  if (error) return <Trouble error={error} />;
  return (
    <div>
      <div className="row spread wrap" style={{ padding: 'var(--s2) var(--s4)', borderBottom: '1px solid var(--line)' }}>
        <h2 className="mono truncate small">{data.old_path ? `${data.old_path} → ` : ''}{data.path}</h2>
        <label className="checkbox"><input type="checkbox" checked={split} onChange={(event) => setSplit(event.target.checked)} />Side by side</label>
      </div>
      {data.binary ? <p className="quiet" style={{ padding: 'var(--s4)' }}>These are bytes, not lines.</p>
        : parsed && parsed.hunks.length > 0 ? (
          <Diff viewType={split ? 'split' : 'unified'} diffType={parsed.type} hunks={parsed.hunks}>
            {(hunks) => hunks.map((hunk) => <Hunk key={hunk.content} hunk={hunk} />)}
          </Diff>
        ) : <pre className="code wrap" style={{ margin: 'var(--s4)' }}>{data.content}</pre>}
      {data.truncated && <p className="note small" style={{ margin: 'var(--s3)' }}>The rest is cut.</p>}
    </div>
  );
}
