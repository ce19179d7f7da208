# shellcheck shell=sh
# ./dev run: builds a release and shows it at work.

command_run() {
  build_release
  wave=$source_dir/build/release/wave
  demo=$source_dir/build/demo
  rm -rf "$demo"
  mkdir -p "$demo"
  cp -R examples/demo/. "$demo"
  title "a small project with a pipeline, in build/demo"
  (
    cd "$demo"
    git init -q -b main
    git add -A
    git -c user.name=demo -c user.email=demo@localhost commit -q -m "greet says hello"
    PATH=$source_dir/build/release:$PATH "$wave" run add-language "Teach greet to speak German"
  ) || die "the demo did not complete; its project is in build/demo"
  branch=$(git -C "$demo" for-each-ref --format='%(refname:short)' refs/heads/wave | head -1)
  cat <<END

What was produced, all of it in build/demo (your own files were not touched):
  a branch       $branch
$(git -C "$demo" log --format='                   %s' "main..$branch")
  its program    $(git -C "$demo" show "$branch:bin/greet" >"$demo/.greet" && sh "$demo/.greet" --lang de Ada)
  artifacts      plan, account, guide, release notes

What to type next:
  cd build/demo
  ../release/wave artifacts              what the steps produced
  ../release/wave logs                   everything that happened, and what the agents said
  git diff main..$branch
  ../release/wave run add-language --dry-run

In a project of your own:
  $source_dir/build/release/wave init
END
}
