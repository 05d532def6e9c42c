"""Pure judgements: (evidence, item, part) → `CheckResult`. The registry is a literal dict."""
