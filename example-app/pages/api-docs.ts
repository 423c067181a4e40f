import { html } from '../html.js'
import { page } from './layout.js'

/** Swagger UI brings its own look; a bank without script shows where the document is. */
export function apiDocsPage(name: string | undefined): string {
  return page(
    {
      title: 'API of the user service',
      name,
      wide: true,
      script: 'api-docs.js',
      head: html`<link rel="stylesheet" href="/public/swagger-ui/swagger-ui.css" />
        <script src="/public/swagger-ui/swagger-ui-bundle.js" defer></script>`,
    },
    html`<h1>API of the user service</h1>
      <p class="lead">
        Sign in with <code>POST /auth/login/</code>, put the <code>access_token</code> of the answer under “Authorize”,
        and try the rest. Once a phone is connected, a login takes a code of its app as <code>second_factor</code>.
      </p>
      <p><a href="/api/v1.0/openapi.json">The document</a> (<a href="/api/v1.0/openapi.yaml">as YAML</a>)</p>
      <div id="api-docs"></div>`,
  )
}
