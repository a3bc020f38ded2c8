
set edit:completion:arg-completer[breakglass] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) BREAKGLASS_COMPLETE="elvish" breakglass -- $@words) | to-lines
}

