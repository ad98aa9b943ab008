#!/bin/sh
# Lets apt choose and fetch the packages of both lists with all that they depend on, into $TOUCHMARK_OUTPUT: one directory
# an image, so that nothing of the larger one comes into the smaller. Nothing is installed.
set -eu
source=/work/source
apt-get -q update
for image in base build; do
  lists="$source/base.txt"
  [ "$image" = base ] || lists="$lists $source/$image.txt"
  mkdir -p "$TOUCHMARK_OUTPUT/$image/partial"
  # shellcheck disable=SC2046 # one word a package
  apt-get -q -y --download-only --no-install-recommends \
    -o Dir::Cache::archives="$TOUCHMARK_OUTPUT/$image" install $(cat $lists)
  rm -rf "$TOUCHMARK_OUTPUT/$image/partial" "$TOUCHMARK_OUTPUT/$image/lock"
done
