import type {
  ApprovalChannel,
  ChannelAnswer,
  ChannelHandle,
  ChannelRequest,
  ChannelStarted,
  ChannelStatus,
} from 'passport-outofband'

interface Question {
  readonly request: ChannelRequest
  readonly answers: Map<string, { status: ChannelStatus; decidedAt?: number }>
  reported: boolean
  cancelled: boolean
}

/** A channel to a provider that lives in the test: what it was asked, and what its people answer. */
export class TestChannel implements ApprovalChannel {
  readonly name: string
  readonly factor = 'push'
  readonly amr = ['mca'] as const
  readonly proof
  readonly maxRecipients
  readonly pollIntervalMs = 2_000
  readonly questions = new Map<string, Question>()
  readonly released: string[] = []
  checks = 0
  /** What `start`, `check`, `cancel` or `release` throws, while it is set. */
  readonly failing: Partial<Record<'start' | 'check' | 'cancel' | 'release', Error>> = {}
  cancel?: (handle: ChannelHandle) => Promise<void>
  release?: (handle: ChannelHandle) => Promise<void>
  identify?: (reference: string) => Promise<string>
  isFinal?: (error: unknown) => boolean
  outlives = false

  constructor(
    options: {
      name?: string
      proof?: ApprovalChannel['proof']
      cancels?: boolean
      releases?: boolean
      maxRecipients?: number
      people?: Readonly<Record<string, string>>
    } = {},
  ) {
    this.name = options.name ?? 'test'
    this.proof = options.proof ?? ('approve' as const)
    this.maxRecipients = options.maxRecipients ?? 1
    if (options.cancels) this.cancel = (handle) => this.#cancel(handle)
    if (options.releases) {
      this.release = async (handle) => {
        if (this.failing.release) throw this.failing.release
        this.released.push(handle.reference)
      }
    }
    const { people } = options
    if (people) this.identify = async (reference) => people[reference] ?? reference
  }

  async start(request: ChannelRequest): Promise<ChannelStarted> {
    if (this.failing.start) throw this.failing.start
    const reference = `question-${this.questions.size + 1}`
    this.questions.set(reference, { request, answers: new Map(), reported: false, cancelled: false })
    return {
      reference,
      ...(this.proof === 'compare' ? { code: 'A7K2' } : {}),
      ...(this.release ? { state: { session: 's' } } : {}),
    }
  }

  async check({ reference, recipients }: ChannelHandle): Promise<ChannelAnswer> {
    this.checks += 1
    if (this.failing.check) throw this.failing.check
    const question = this.question(reference)
    return {
      decisions: recipients.map((recipient) => ({
        reference: recipient.reference,
        status: 'pending' as const,
        ...question.answers.get(recipient.reference),
      })),
      reported: question.reported,
    }
  }

  /** What a person does on the phone. Without `reference` the first recipient of the newest question. */
  answer(
    status: ChannelStatus,
    { question = this.newest, recipient = this.question(question).request.recipients[0]!.reference } = {},
  ): void {
    this.question(question).answers.set(recipient, { status })
  }

  get newest(): string {
    return `question-${this.questions.size}`
  }

  question(reference: string): Question {
    const question = this.questions.get(reference)
    if (!question) throw new Error(`no question ${reference}`)
    return question
  }

  async #cancel({ reference }: ChannelHandle): Promise<void> {
    if (this.failing.cancel) throw this.failing.cancel
    this.question(reference).cancelled = true
  }
}
