#!/bin/sh
# 上报文件，等待处理完毕，打印结果 / Hand in a file, wait until it is processed, print the outcome
# PILOT_URL: 平台网址 / address of the portal    PILOT_KEY: 密钥 / key    $1: forms.csv
set -eu

call() {
  curl --silent --show-error --fail-with-body --retry 5 --retry-max-time 120 \
    --header "Authorization: Bearer $PILOT_KEY" "$@"
}

job=$(call --header "Idempotency-Key: file-$(sha256sum "$1" | cut -c1-64)" \
  --form "file=@$1" "$PILOT_URL/api/v1/uploads/")
url=$(printf '%s' "$job" | sed 's/.*"url":"\([^"]*\)".*/\1/')

until printf '%s' "$job" | grep -q '"done":true'; do
  sleep "${PILOT_PAUSE:-2}"
  job=$(call "$PILOT_URL$url")
done
printf '%s\n' "$job"
