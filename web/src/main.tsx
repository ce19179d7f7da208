import './ui/tokens.css';
import './ui/base.css';
import './ui/shell.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { withoutBase } from './api/base';
import { onSignedOut } from './api/client';
import { connectQueries, queryClient } from './api/queries';
import { live } from './live/live';
import { startNotifying } from './live/notify';
import { router } from './router';
import './ui/theme';

connectQueries();
startNotifying();
live.start();
onSignedOut(() => {
  const here = withoutBase(location.pathname);
  if (here === '/login') return;
  void router.navigate({ to: '/login', search: { next: here + location.search } });
});

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
