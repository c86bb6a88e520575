// The documents of all services, to be read and tried out: swagger-ui-dist, which is loaded before this, does both.

declare const SwaggerUIBundle: (options: {
  url: string;
  dom_id: string;
  deepLinking: boolean;
  validatorUrl: null;
  docExpansion: 'list';
  defaultModelsExpandDepth: number;
  displayRequestDuration: boolean;
}) => void;

const of = new URLSearchParams(location.search).get('of') ?? '';
const links = [...document.querySelectorAll<HTMLAnchorElement>('nav a')];
const chosen = links.find(({ search }) => (new URLSearchParams(search).get('of') ?? '') === of) ?? links[0];
chosen?.setAttribute('aria-current', 'page');

const theme = localStorage.getItem('taskflow.theme') ?? 'device'; // as the page keeps it (choices.ts)
const dark = matchMedia('(prefers-color-scheme: dark)');
const drawDark = () =>
  document.documentElement.classList.toggle('dark-mode', theme === 'dark' || (theme === 'device' && dark.matches));
dark.addEventListener('change', drawDark);
drawDark();

SwaggerUIBundle({
  url: chosen?.dataset.document ?? '',
  dom_id: '#document',
  deepLinking: true,
  validatorUrl: null, // else each document goes to a server of the library's
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
});

export {};
