export * from './errors.js'
export type { FetchInit, FetchLike, FetchResponse, Logger, Runtime } from './runtime.js'
export type { JsonObject, JsonValue } from './approval/json.js'
export type { Counter, Lifetime, StateRecord, StateStore } from './approval/state-store.js'
export type {
  ApprovalChannel,
  CallOptions,
  ChannelAnswer,
  ChannelHandle,
  ChannelRequest,
  ChannelStarted,
  ChannelStatus,
  PresenceStatus,
  ProofKind,
  Recipient,
  RecipientDecision,
} from './approval/channel.js'
export type {
  ApprovalHandle,
  ApprovalRule,
  Approvals,
  ApprovalStatus,
  ApprovalView,
  RedeemedApproval,
  RedeemRequest,
  ReleaseHandle,
  SettleResult,
  Settlement,
  StartedApproval,
  StartRequest,
} from './approval/approvals-types.js'
export { createApprovals } from './approval/approvals.js'
export type { ApprovalsOptions } from './approval/approvals-options.js'
export { canonicalJson } from './approval/canonical-json.js'
export type { ApprovalEvent } from './approval/events.js'
export { promptText } from './approval/prompt-text.js'
export { createAssurances } from './approval/assurance.js'
export type { Assurance, Assurances, AssurancesOptions } from './approval/assurance.js'
export { amrOf, evaluatePolicy, independentChannels } from './approval/factors.js'
export type { Factor, FactorInput, FactorPolicy, PolicyResult } from './approval/factors.js'
export { createGuessLimits } from './approval/limits.js'
export type { Guess, GuessLimits, GuessLimitsOptions, GuessPermit } from './approval/limits.js'
export { reportFactorChange } from './approval/factor-events.js'
export type { FactorChange, FactorEvent } from './approval/factor-events.js'
export { notifyOfUnusualEvents } from './approval/notices.js'
export type { Notice, NoticesOptions } from './approval/notices.js'
export { createSendLimits } from './approval/send-limits.js'
export type { Send, SendLimit, SendLimits, SendLimitsOptions } from './approval/send-limits.js'
export { rememberDelivery, useCodeOnce } from './approval/code-use.js'
export type { CodeDelivery, CodeUse } from './approval/code-use.js'
