// Express 4 under an alias. For what the tests do with it, the types of Express 5 are right.
declare module 'express4' {
  import express from 'express'
  export default express
}
