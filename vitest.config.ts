import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

interface PackageJson {
  readonly name: string
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

const pkg = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as PackageJson

// Tests import the public face by its public names; here those names lead to the sources instead of to dist.
const alias = Object.entries(pkg.exports).flatMap(([subpath, target]) =>
  typeof target === 'string'
    ? []
    : [
        {
          find: new RegExp(`^${pkg.name}${subpath.slice(1)}$`),
          replacement: fileURLToPath(
            new URL(target.default.replace('./dist/', './src/').replace(/\.js$/, '.ts'), import.meta.url),
          ),
        },
      ],
)

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that only make the timing of the tests that start servers worse.
    maxWorkers: 2,
  },
})
