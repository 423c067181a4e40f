import { json, type SandboxReply } from '../http-message.js'
import type { PhoneHub } from '../phone/hub.js'
import type { Router } from '../router.js'
import type { Directory, Enrollment } from './directory.js'
import type { Organization } from './organization-api.js'
import { decode, notFound } from './replies.js'

interface Owner {
  readonly email: string
  enrollments: Enrollment[]
}

/** Enrollments of users (`users/{oid}`) and of administrators (`administrators/{userId}`). */
export function addEnrollments(
  router: Router,
  parts: {
    readonly directory: Directory
    readonly organization: Organization
    readonly hub: PhoneHub
    readonly now: () => number
  },
): void {
  const { directory, organization, hub, now } = parts
  const link = (enrollment: Enrollment): string => `${organization.enrollmentBase}/${enrollment.token}`
  const body = (enrollment: Enrollment): object => ({
    enrollmentId: enrollment.enrollmentId,
    expireDate: new Date(enrollment.expiresAt).toISOString(),
    state: enrollment.state === 'ACTIVE' && now() > enrollment.expiresAt ? 'EXPIRED' : enrollment.state,
    sent: enrollment.sent,
    deviceConfigUrl: link(enrollment),
  })
  const owners: readonly (readonly [kind: string, find: (id: string) => Owner | undefined])[] = [
    ['users', (id) => directory.users.get(id)],
    ['administrators', (id) => organization.administrators.find(({ userId }) => userId === id)],
  ]
  for (const [kind, find] of owners) {
    const rest = `/register/rest/${kind}/:owner/enrollments`
    const withOne = (
      id: string | undefined,
      enrollmentId: string | undefined,
      handler: (enrollment: Enrollment, owner: Owner) => SandboxReply,
    ): SandboxReply => {
      const owner = find(decode(id))
      const enrollment = owner?.enrollments.find((entry) => entry.enrollmentId === decode(enrollmentId))
      return owner && enrollment ? handler(enrollment, owner) : notFound
    }
    router
      .add('POST', rest, (_request, { owner: id }) => {
        const owner = find(decode(id))
        if (!owner) return notFound
        const enrollment = directory.enrollment()
        owner.enrollments.push(enrollment)
        return json(200, body(enrollment))
      })
      .add('GET', rest, (_request, { owner: id }) => {
        const owner = find(decode(id))
        return owner ? json(200, { data: owner.enrollments.map(body) }) : notFound
      })
      .add('GET', `/register/download/${kind}/:owner/enrollments/:id/pdf`, (_request, { owner, id }) =>
        withOne(owner, id, (enrollment) => pdf(link(enrollment))),
      )
      .add('POST', `${rest}/:id/pdfviaemail`, (_request, { owner: ownerId, id }) =>
        withOne(ownerId, id, (enrollment, owner) => {
          enrollment.sent = true
          const text = `Open this link on your phone: ${link(enrollment)}`
          hub.deliver({ provider: 'passbyme', kind: 'mail', to: owner.email, subject: 'Your enrollment', text })
          return json(200, enrollment.enrollmentId)
        }),
      )
      .add('DELETE', `${rest}/:id`, (_request, { owner: ownerId, id }) =>
        withOne(ownerId, id, (enrollment, owner) => {
          owner.enrollments = owner.enrollments.filter((entry) => entry !== enrollment)
          return json(200, enrollment.enrollmentId)
        }),
      )
  }
}

function pdf(link: string): SandboxReply {
  const stream = `BT /F1 12 Tf 40 800 Td (${link}) Tj ET`
  const body = [
    '%PDF-1.4',
    '1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj',
    '2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj',
    '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>endobj',
    `4 0 obj<</Length ${stream.length}>>stream\n${stream}\nendstream endobj`,
    '5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj',
    'trailer<</Root 1 0 R>>',
    '%%EOF',
  ].join('\n')
  return { status: 200, headers: { 'content-type': 'application/pdf' }, body }
}
