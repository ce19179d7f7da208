import './catalogue.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { personasQuery } from '../api/queries';
import { Bones, Empty, PageHead, Trouble } from '../ui/states';
import { useTitle } from '../ui/title';

export default function Personas() {
  useTitle('Personas');
  const { data, error, isPending, refetch } = useQuery(personasQuery);
  if (isPending) return <Bones rows={6} height={60} label="Loading personas" />;
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  return (
    <>
      <PageHead title="Personas"><p>Who does the steps: an agent, a prompt, and what it may use.</p></PageHead>
      {data.personas.length === 0 ? <Empty icon="persona" title="The manifest names no persona"><p>Add one under <code>personas</code> in wave.yaml.</p></Empty> : (
        <ul className="tiles">
          {data.personas.map((one) => (
            <li key={one.name} className="card tile">
              <h2><Link to="/personas/$name" params={{ name: one.name }}>{one.name}</Link></h2>
              {one.description && <p>{one.description}</p>}
              <div className="foot">
                {one.adapter && <span className="chip">{one.adapter}</span>}
                {one.model && <span className="chip">{one.model}</span>}
                <span>{one.used_by.length === 0 ? 'used by no pipeline' : `used by ${one.used_by.length} ${one.used_by.length === 1 ? 'pipeline' : 'pipelines'}`}</span>
              </div>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
