import { Dialog } from './dialog';
import { keyHelp } from './keys';

export default function KeyList({ onClose }: { onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title="Keys">
      <div className="stack">
        {keyHelp.map((group) => (
          <section key={group.title} aria-label={group.title}>
            <h3 className="quiet" style={{ marginBottom: 'var(--s2)' }}>{group.title}</h3>
            <dl className="facts" style={{ alignItems: 'center' }}>
              {group.keys.map(([keys, what]) => (
                <div key={keys} style={{ display: 'contents' }}>
                  <dt className="row">{keys.split(' ').filter(Boolean).map((key) => (key === '…' ? key : <kbd key={key}>{key}</kbd>))}</dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
