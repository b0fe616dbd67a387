#!/bin/bash
set -ex

mkdir -p ~/.ssh
ssh-keyscan shed.home.arpa >> ~/.ssh/known_hosts

echo "mirroring with $RSYNC_PASSWORD"
rsync -a --delete -e "ssh -i /ssh/id_rsa" /media/ mirror@shed.home.arpa:/srv/media/ | tee /tmp/mirror.log
