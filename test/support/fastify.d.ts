// Types of @fastify/passport name this package, which compiles code at its installation and isn't used here.
declare module '@fastify/secure-session' {
  export interface SessionData {
    readonly [name: string]: unknown
  }
  export interface Session<T> {
    data(): T
  }
}
