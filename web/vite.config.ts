import { defineConfig } from 'vite';

const server = process.env.WAVE_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // The server may be shown below a path that the build does not know: scripts and styles name each other by where they
  // are, and the server puts the path into the page.
  experimental: { renderBuiltUrl: (_name, { hostType }) => (hostType === 'html' ? undefined : { relative: true }) },
  esbuild: { jsx: 'automatic' },
  logLevel: 'warn',
  build: {
    rollupOptions: {
      // Marks of React's server components mean nothing here.
      onwarn: (warning, warn) => void (warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning)),
    },
    target: 'es2022',
    // The strict CSP allows neither inline scripts nor data: fonts; names carry their content's hash.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    manifest: true,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    outDir: process.env.WAVE_WEB_OUT ?? 'dist',
    emptyOutDir: true,
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': { target: server, changeOrigin: false } } },
});
