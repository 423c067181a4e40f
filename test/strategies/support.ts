import request from 'supertest'
import type { LoginApp } from '../support/login-app.js'

export type Agent = ReturnType<typeof request.agent>

export const password = { username: 'alice', password: 'correct horse' }

/** A browser that has passed the password of alice (or of `username`). */
export async function afterPassword(app: LoginApp, username = 'alice'): Promise<Agent> {
  const agent = request.agent(app.url)
  await agent
    .post('/login')
    .send({ ...password, username })
    .expect(202)
  return agent
}

/** A browser that is logged in with password and code. */
export async function loggedIn(app: LoginApp): Promise<Agent> {
  const agent = await afterPassword(app)
  await agent.post('/login/code').send({ token: '123456' }).expect(200)
  return agent
}

/** Starts a push and returns the approval's id. */
export async function startPush(agent: Agent): Promise<string> {
  const { body } = (await agent.post('/login/push/api').expect(202)) as { body: { id: string } }
  return body.id
}

/** The person presses a button, and the provider is asked. */
export async function decide(app: LoginApp, status: 'approved' | 'denied'): Promise<void> {
  app.phone.decide(status)
  await app.clock.advance(3_000)
}
