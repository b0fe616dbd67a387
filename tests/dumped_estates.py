"""A small estate whose job dumps a PostgreSQL, and the settings that say where its copies lie."""

from __future__ import annotations

ESTATE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: bank, namespace: data}
spec:
  serviceName: bank
  selector: {matchLabels: {app: bank}}
  template:
    metadata: {labels: {app: bank}}
    spec:
      containers:
        - name: postgres
          image: postgres:17.2
          env: [{name: POSTGRES_USER, value: postgres}]
          ports: [{containerPort: 5432}]
          volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: bank, namespace: data}
spec: {selector: {app: bank}, ports: [{port: 5432}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: dump, namespace: data}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: dump
              image: postgres:17.2
              command:
                - /bin/sh
                - -ec
                - pg_dump -h bank -U postgres bank > /backups/bank/bank-$(date +%F).sql
              volumeMounts: [{name: backups, mountPath: /backups}]
          volumes:
            - name: backups
              nfs: {server: 192.0.2.5, path: /volume1/backups}
"""
SETTINGS = '[storage]\n"192.0.2.5:/volume1/backups" = "{folder}"\n'
