import type { ShellName } from './complete.ts';

/** The line up to the cursor goes to the program as it is: there it is read, and nothing of it is ever evaluated. */
const bash = `# bash completion of superoffload: source <(superoffload completion bash)
_superoffload() {
  local line first=1
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -n $first ]]; then
      first=
      case $line in files*) compopt -o default 2>/dev/null ;; folders*) compopt -o dirnames 2>/dev/null ;; esac
      case $line in *nospace) compopt -o nospace 2>/dev/null ;; esac
    else
      COMPREPLY+=("$line")
    fi
  done < <(superoffload complete --shell bash -- "$COMP_WORDBREAKS" "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -o nosort -F _superoffload superoffload 2>/dev/null || complete -o default -F _superoffload superoffload
`;

const zsh = `#compdef superoffload
# zsh completion of superoffload: source <(superoffload completion zsh)
_superoffload() {
  local -a lines values shown options
  local line typed=$PREFIX
  [[ -n $compstate[quoting] ]] || typed=\${(Q)PREFIX}
  lines=("\${(@f)$(superoffload complete --shell zsh -- "\${(@Q)words[2,CURRENT-1]}" "$typed" 2>/dev/null)}")
  [[ $lines[1] == *nospace ]] && options=(-S '')
  for line in "\${(@)lines[2,-1]}"; do
    [[ -n $line ]] || continue
    values+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  (( $#values )) && compadd "\${(@)options}" -V superoffload -l -d shown -a values
  case $lines[1] in
    files*) [[ $PREFIX == -*=* ]] && compset -P 1 '*='; _files ;;
    folders*) [[ $PREFIX == -*=* ]] && compset -P 1 '*='; _files -/ ;;
  esac
  (( compstate[nmatches] ))
}
if [[ $funcstack[1] == _superoffload ]]; then
  _superoffload "$@"
else
  compdef _superoffload superoffload
fi
`;

const fish = `# fish completion of superoffload: superoffload completion fish > ~/.config/fish/completions/superoffload.fish
function __superoffload_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l lines (superoffload complete --shell fish -- $words "$current" 2>/dev/null)
    for line in $lines[2..]
        echo $line
    end
    # As it is meant; a quote may still be open.
    set -l meant (string unescape -- "$current"; or string unescape -- "$current'"; or string unescape -- "$current"'"')
    set -l before (string match -r -- '^-[^=]*=' "$meant")
    set -l path (string replace -r -- '^-[^=]*=' '' "$meant")
    string match -qr -- '^(files|folders)' "$lines[1]"; or return
    set -l real (string replace -r -- '^~/' "$HOME/" "$path")
    for found in "$real"*
        set -l shown (string replace -- "$real" "$path" $found)
        if test -d $found
            echo "$before$shown/"
        else if string match -qr -- '^files' "$lines[1]"
            echo "$before$shown"
        end
    end
end
complete -c superoffload -f -k -a '(__superoffload_complete)'
`;

const scripts: Readonly<Record<ShellName, string>> = { bash, zsh, fish };

/** @returns the text that a shell reads once; it asks `superoffload complete` for everything else. */
export function completionScript(shell: ShellName): string {
  return scripts[shell];
}
