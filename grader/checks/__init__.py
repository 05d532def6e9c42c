"""Pure judgements: (evidence, item) → `CheckResult`. One short function each; the registry is a literal dict."""
