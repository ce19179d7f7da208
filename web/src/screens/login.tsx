// Who are you? A token, or a link whose single-use code stands in the fragment, which no server log ever sees.
import './login.css';
import { useQuery } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { base } from '../api/base';
import { ApiError, send, setCsrfToken } from '../api/client';
import { healthQuery, queryClient, type Session } from '../api/queries';
import { live } from '../live/live';
import { Mark } from '../ui/icons';
import { useTitle } from '../ui/title';

/** Only a way within this application: a link from outside must not send people elsewhere. */
function safe(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) ? next : '/';
}

export default function Login() {
  useTitle('Sign in');
  const { next } = useSearch({ from: '/login' });
  const router = useRouter();
  const health = useQuery(healthQuery).data;
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState('');
  const tried = useRef(false);

  const signIn = async (body: { token: string } | { code: string }) => {
    setBusy(true);
    setWrong('');
    try {
      const session = await send<Session | undefined>('POST', '/api/login', body);
      setCsrfToken(session?.csrf_token ?? null);
      live.nudge();
      queryClient.clear();
      // The way back has a query of its own.
      router.history.replace(base + safe(next));
    } catch (error) {
      const problem = error instanceof ApiError ? error.problem : null;
      setWrong([problem?.detail ?? (error as Error).message, problem?.hint].filter(Boolean).join(' '));
    } finally {
      setBusy(false);
    }
  };

  useEffect(() => {
    const code = new URLSearchParams(location.hash.slice(1)).get('code') ?? (/^#[\w-]{16,}$/.test(location.hash) ? location.hash.slice(1) : null);
    if (!code || tried.current) return;
    tried.current = true;
    history.replaceState(null, '', location.pathname + location.search);
    void signIn({ code });
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim()) void signIn({ token: token.trim() });
  };
  return (
    <main className="login">
      <div className="card login-card">
        <Mark size={40} />
        <h1>Sign in to wave</h1>
        <p className="quiet">{health?.auth === 'mtls' ? 'This server knows people by their client certificates. Choose yours when the browser asks, then load this page again.' : 'With a token, or with a link from whoever runs this server.'}</p>
        <form className="stack" onSubmit={submit}>
          <div className="field">
            <label htmlFor="token">Token</label>
            <textarea id="token" className="textarea mono" rows={4} autoFocus autoComplete="off" spellCheck={false} value={token} onChange={(event) => setToken(event.target.value)} aria-describedby="token-hint" aria-invalid={wrong !== ''} />
            <p id="token-hint" className="hint">Made by <code>wave token create --subject you --role operator</code>. It is exchanged for a session and not kept.</p>
          </div>
          {wrong && <p className="note bad small" role="alert">{wrong}</p>}
          <button className="button primary" type="submit" disabled={busy || token.trim() === ''}>{busy ? 'Signing in …' : 'Sign in'}</button>
        </form>
        <p className="small quiet">A link for this page: <code>wave token login-link</code></p>
      </div>
    </main>
  );
}
