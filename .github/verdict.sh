#!/bin/sh
# Write the verdict that an exit status stands for as an annotation, and end with this status: verdict.sh NAME STATUS
case "$2" in
  0) echo "::notice::$1: fine" ;;
  1) echo "::error::$1: regressed" ;;
  3) echo "::warning::$1: undecided; the summary says what would decide it" ;;
  *) echo "::error::$1: nothing was compared (status $2)" ;;
esac
exit "$2"
