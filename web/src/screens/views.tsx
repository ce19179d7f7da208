// Filters under a name, kept in this browser.
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Menu, MenuItem } from '../ui/menu';
import { toast } from '../ui/toasts';

interface View {
  name: string;
  search: Record<string, unknown>;
}
const kViews = 'wave.views';
function readViews(): View[] {
  try {
    return JSON.parse(localStorage.getItem(kViews) ?? '[]') as View[];
  } catch {
    return [];
  }
}

export default function Views({ search }: { search: Record<string, unknown> }) {
  const [views, setViews] = useState(readViews);
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState('');
  const navigate = useNavigate();
  const keep = (next: View[]) => {
    setViews(next);
    try {
      localStorage.setItem(kViews, JSON.stringify(next));
    } catch {
      toast('bad', 'The view could not be kept', 'This browser does not let pages store anything.');
    }
  };
  return (
    <>
      <Menu trigger={<button className="button plain small">Views<Icon name="down" size={14} /></button>}>
        {views.map((view) => (
          <MenuItem key={view.name} onSelect={() => void navigate({ to: '/', search: view.search as never })}>{view.name}</MenuItem>
        ))}
        <MenuItem onSelect={() => setNaming(true)}><Icon name="plus" size={14} />Keep this view …</MenuItem>
        {views.length > 0 && <MenuItem danger onSelect={() => keep(views.filter((view) => JSON.stringify(view.search) !== JSON.stringify(search)))}>Forget this view</MenuItem>}
      </Menu>
      <Dialog open={naming} onClose={() => setNaming(false)} title="Keep this view" description="Filters and search, under a name, in this browser.">
        <form onSubmit={(event) => {
          event.preventDefault();
          if (!name.trim()) return;
          keep([...views.filter((view) => view.name !== name.trim()), { name: name.trim(), search }]);
          setNaming(false);
        }}>
          <div className="field" style={{ marginTop: 'var(--s4)' }}>
            <label htmlFor="view-name">Name</label>
            <input id="view-name" className="input" autoFocus value={name} onChange={(event) => setName(event.target.value)} maxLength={60} />
          </div>
          <div className="actions"><button className="button primary" type="submit">Keep</button></div>
        </form>
      </Dialog>
    </>
  );
}
