"""What Dagster is asked, in GraphQL. Held against the schema of a real one in tests/integrations."""

from __future__ import annotations

RUN = """
fragment OfRun on Run {
  runId status creationTime startTime endTime
  tags { key value }
  repositoryOrigin { repositoryName repositoryLocationName }
}"""

LAUNCH = """
mutation PatrolLaunch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId status } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message }
  }
}"""

RUN_OF = (
    """
query PatrolRun($id: ID!) {
  runOrError(runId: $id) { __typename ... on Run { ...OfRun } ... on Error { message } }
}"""
    + RUN
)

FAILED_STEPS = """
query PatrolFailedSteps($id: ID!) {
  runOrError(runId: $id) { __typename ... on Run { stepStats { stepKey status } } ... on Error { message } }
}"""

RUNS = (
    """
query PatrolRuns($filter: RunsFilter!, $limit: Int!) {
  runsOrError(filter: $filter, limit: $limit) {
    __typename
    ... on Runs { results { ...OfRun } }
    ... on Error { message }
  }
}"""
    + RUN
)

TERMINATE = """
mutation PatrolTerminate($id: String!) {
  terminateRun(runId: $id) {
    __typename
    ... on TerminateRunSuccess { run { status } }
    ... on TerminateRunFailure { message }
    ... on Error { message }
  }
}"""

LOG = """
query PatrolLog($id: ID!, $after: String, $limit: Int!) {
  logsForRun(runId: $id, afterCursor: $after, limit: $limit) {
    __typename
    ... on EventConnection {
      cursor hasMore
      events {
        ... on MessageEvent { timestamp level stepKey message }
        ... on ExecutionStepFailureEvent { error { message causes { message } } }
      }
    }
    ... on Error { message }
  }
}"""

PLACES = """
query PatrolPlaces {
  repositoriesOrError {
    __typename
    ... on RepositoryConnection { nodes { name location { name } jobs { name } } }
    ... on Error { message }
  }
}"""

SCHEDULES = """
query PatrolSchedules($of: RepositorySelector!) {
  schedulesOrError(repositorySelector: $of) {
    __typename
    ... on Schedules {
      results {
        name cronSchedule executionTimezone pipelineName
        scheduleState { id status }
        futureTicks(limit: 1) { results { timestamp } }
      }
    }
    ... on Error { message }
  }
  sensorsOrError(repositorySelector: $of) {
    __typename
    ... on Sensors { results { name targets { pipelineName } sensorState { id status } } }
    ... on Error { message }
  }
}"""

START_SCHEDULE = """
mutation PatrolStartSchedule($of: ScheduleSelector!) {
  done: startSchedule(scheduleSelector: $of) {
    __typename
    ... on ScheduleStateResult { scheduleState { status } }
    ... on Error { message }
  }
}"""

STOP_SCHEDULE = """
mutation PatrolStopSchedule($id: String!) {
  done: stopRunningSchedule(id: $id) {
    __typename
    ... on ScheduleStateResult { scheduleState { status } }
    ... on Error { message }
  }
}"""

START_SENSOR = """
mutation PatrolStartSensor($of: SensorSelector!) {
  done: startSensor(sensorSelector: $of) {
    __typename
    ... on Sensor { sensorState { status } }
    ... on Error { message }
  }
}"""

STOP_SENSOR = """
mutation PatrolStopSensor($id: String!) {
  done: stopSensor(id: $id) {
    __typename
    ... on StopSensorMutationResult { instigationState { status } }
    ... on Error { message }
  }
}"""
