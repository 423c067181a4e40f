// Swagger UI knows a dark look, but not when it is wanted.
const dark = globalThis.matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()

// The token lives in this page only: it is gone with the tab.
globalThis.SwaggerUIBundle({
  url: '/api/v1.0/openapi.json',
  dom_id: '#api-docs',
  persistAuthorization: false,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
})
