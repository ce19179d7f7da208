// Markdown as agents write it: parsed, then sanitised. What is left has no script, no style, no frame.
import DOMPurify from 'dompurify';
import { marked } from 'marked';
import { useMemo } from 'react';

const options = {
  ALLOWED_TAGS: ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'ul', 'ol', 'li', 'pre', 'code', 'em', 'strong', 'del', 'blockquote', 'hr', 'br', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'input'],
  ALLOWED_ATTR: ['href', 'title', 'type', 'checked', 'disabled', 'start'],
  ALLOWED_URI_REGEXP: /^(https?:|mailto:|#|\/)/i,
};

export default function Markdown({ text }: { text: string }) {
  const html = useMemo(() => {
    const clean = DOMPurify.sanitize(marked.parse(text, { async: false, gfm: true }), { ...options, RETURN_DOM_FRAGMENT: true });
    for (const link of clean.querySelectorAll('a')) {
      link.rel = 'noreferrer noopener';
      link.target = '_blank';
    }
    for (const box of clean.querySelectorAll('input')) box.setAttribute('aria-label', 'done');
    const holder = document.createElement('div');
    holder.append(clean);
    return holder.innerHTML;
  }, [text]);
  return <div className="markdown" dangerouslySetInnerHTML={{ __html: html }} />;
}
