/** Rows of modules, true for dark, without the quiet zone. */
export type QrMatrix = readonly (readonly boolean[])[]

/** A QR code while it is drawn. */
export interface Grid {
  readonly size: number
  readonly version: number
  readonly dark: boolean[][]
  /** Modules that belong to patterns and are not masked. */
  readonly fixed: boolean[][]
}
