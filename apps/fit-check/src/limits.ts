/** What bounds a call to somebody else. */

/** How long a call may take: it is aborted by the signal, and its own limits shrink with what remains. */
export interface CallLimits {
  readonly signal: AbortSignal;
  /** Milliseconds that are left of the session. */
  remainingMs(): number;
}
