complete --keep-order --exclusive --command breakglass --arguments "(BREAKGLASS_COMPLETE=fish breakglass -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
