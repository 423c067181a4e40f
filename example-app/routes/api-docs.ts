import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Router } from 'express'
import { signedInAccount } from '../accounts.js'
import { apiDocsPage } from '../pages/api-docs.js'

/** Swagger UI, from this server and nowhere else. By name: of the package's other files nothing is needed. */
export function swaggerUi(): Router {
  const router = Router()
  // Looked for when it is asked for: a bank whose docs page is not installed is a bank all the same.
  const folder = (): string => dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
  for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
    router.get(`/${file}`, (_req, res) => {
      res.sendFile(join(folder(), file), { maxAge: '1h' })
    })
  }
  return router
}

/** The OpenAPI document of the user service, to read and to try out. */
export function apiDocsRoutes(): Router {
  const router = Router()
  router.get('/api-docs', (req, res) => {
    // Its style sheet brings icons along. Scripts and styles are files of this server here too.
    const policy = String(res.getHeader('Content-Security-Policy'))
    res.setHeader('Content-Security-Policy', policy.replace("img-src 'self'", "img-src 'self' data:"))
    res.send(apiDocsPage(signedInAccount(req)?.name))
  })
  return router
}
