import './catalogue.css';
import './run.css';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Suspense } from 'react';
import { personaQuery } from '../api/queries';
import { Bones, PageHead, Trouble } from '../ui/states';
import { useTitle } from '../ui/title';
import { lazily } from '../ui/lazily';

const Markdown = lazily(() => import('../run/markdown'));

function Tools({ names, none }: { names: readonly string[]; none: string }) {
  return names.length === 0 ? <span className="quiet">{none}</span> : <span className="row wrap">{names.map((name) => <code key={name} className="chip">{name}</code>)}</span>;
}

export default function PersonaScreen() {
  const { name } = useParams({ from: '/app/personas/$name' });
  useTitle(name);
  const { data, error, isPending, refetch } = useQuery(personaQuery(name));
  if (isPending) return <Bones rows={8} label="Loading the persona" />;
  if (error) return <Trouble page error={error} retry={() => void refetch()} />;
  const { persona } = data;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is"><Link to="/personas">Personas</Link></nav>
      <PageHead title={name}>{persona.description && <p>{persona.description}</p>}</PageHead>
      <div className="detail">
        <section className="card" aria-label="Prompt">
          <header><h2>Prompt</h2>{data.prompt_file && <code className="small quiet">{data.prompt_file}</code>}</header>
          <div style={{ padding: 'var(--s4)' }}>{data.prompt ? <Suspense fallback={<Bones rows={6} />}><Markdown text={data.prompt} /></Suspense> : <p className="quiet">It has no prompt of its own.</p>}</div>
        </section>
        <section className="card pad" aria-label="Facts">
          <dl className="facts">
            <dt>Adapter</dt><dd>{persona.adapter ? <Link to="/adapters">{persona.adapter}</Link> : '–'}</dd>
            <dt>Model</dt><dd>{persona.model ?? 'the agent’s own'}</dd>
            {persona.temperature !== null && <><dt>Temperature</dt><dd>{persona.temperature}</dd></>}
            <dt>May use</dt><dd><Tools names={persona.allowed_tools} none="what the adapter allows" /></dd>
            <dt>May not use</dt><dd><Tools names={persona.denied_tools} none="nothing is denied" /></dd>
            {persona.skills.length > 0 && <><dt>Skills</dt><dd><Tools names={persona.skills} none="" /></dd></>}
            <dt>Used by</dt><dd>{persona.used_by.length === 0 ? 'no pipeline' : persona.used_by.map((pipeline, i) => <span key={pipeline}>{i > 0 && ', '}<Link to="/pipelines/$name" params={{ name: pipeline }}>{pipeline}</Link></span>)}</dd>
          </dl>
        </section>
      </div>
    </>
  );
}
