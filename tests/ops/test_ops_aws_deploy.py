"""Deploy, look, destroy: on a played account, along every path that recordings show; each leaves it empty."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from orderlab.installing import Problem
from orderlab.ops.aws import changeset, checks, deploy, destroy, emptying, explain, progress, proof, stacks, status
from orderlab.ops.aws.rehearsal import command
from orderlab.ops.aws.stage import stage as stage_code
from orderlab.ops.aws.template import read

EVENT = re.compile(r"^\d\d:\d\d:\d\d  ([A-Z_]+) +(\w+) \((AWS::[\w:]+)\)", re.M)


def error_line(stage, run) -> str:
    """The one line that the command would print for what it raises."""
    with pytest.raises((Problem, BotoCoreError, ClientError)) as caught:
        run()
    error = caught.value
    line = str(error) if isinstance(error, Problem) else explain.error_of(error, stage.account.target)
    assert "\n" not in line and len(line) < 330
    return line


def test_a_deploy_shows_what_it_will_do_asks_and_does_it(stage) -> None:
    """Change set, bill and teardown command come before the question; then each event once, in order."""
    assert stage.deploy(answer="yes") == 0
    asked = stage.questions[0]
    assert "yes" in asked
    shown, _, done = stage.text.partition("CREATE_IN_PROGRESS")
    assert "AWS::DynamoDB::Table" in shown and "orders a month" in shown and "while idle" in shown
    assert "orderlab destroy --account 123456789012 --region us-east-1" in shown
    events = EVENT.findall("00:00:00  CREATE_IN_PROGRESS" + done)
    assert events[-1][:2] == ("CREATE_COMPLETE", "orderlab")
    completed = Counter(name for status, name, _ in events if status == "CREATE_COMPLETE")
    assert set(completed.values()) == {1}
    assert {"Api", "OrdersTable", "PlaceOrder", "ReceiptsBucket"} <= set(completed)
    times = re.findall(r"^(\d\d:\d\d:\d\d)  ", stage.text, re.M)
    assert times == sorted(times)
    assert stage.destroy(answer="orderlab") == 0
    assert stage.is_empty()


def test_the_same_deploy_again_has_nothing_to_change(stage) -> None:
    """Commands that are repeated converge; a destroy of nothing is harmless and proves it."""
    assert stage.deploy() == 0
    assert stage.deploy() == 0
    assert stage.said[-1] == "nothing to change: the stack orderlab is as the template says"
    assert stage.destroy() == 0
    stage.said.clear()
    assert stage.destroy(answer="nobody asks") == 0
    assert "nothing of orderlab is left" in stage.said[-1] and stage.questions == []
    assert stage.is_empty()


def test_an_update_changes_what_the_parameter_changes_and_keeps_the_others(stage) -> None:
    """A second deploy with another parameter is an update; what was set before stays set."""
    assert stage.deploy("Saga=orchestration") == 0
    stage.said.clear()
    assert stage.deploy() == 0
    assert "nothing to change" in stage.text
    assert stage.deploy("Saga=choreography") == 0
    assert re.search(r"Remove +SagaMachine", stage.text) and "UPDATE_COMPLETE" in stage.text
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_cache_and_its_network_go_too(stage) -> None:
    """A VPC has no name: its tag finds it while it is there, and the played account is asked for it afterwards."""
    assert stage.deploy("Cache=on") == 0
    assert len(stage.rehearsal.left()["AWS::EC2::VPC"]) == 1
    tagged = proof.by_tag(stage.account)
    assert [arn for arn in tagged if ":vpc/vpc-" in arn] and len([arn for arn in tagged if ":subnet/" in arn]) == 2
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_no_means_no_and_leaves_nothing(stage) -> None:
    """Anything but yes takes back the change set, the bucket and the stack under review."""
    assert stage.deploy(answer="no") == 1
    assert stage.said[-1] == "nothing was deployed"
    assert stage.is_empty()


def test_no_to_an_update_leaves_the_stack_and_its_bucket(stage) -> None:
    """What was there before is there after."""
    assert stage.deploy() == 0
    before = stage.rehearsal.left()
    assert stage.deploy("Saga=orchestration", answer="") == 1
    assert stage.rehearsal.left() == before
    assert stage.destroy(answer="orderlab") == 0
    assert stage.is_empty()


def test_a_failed_create_is_rolled_back_and_explained(stage) -> None:
    """The first resource that failed by itself is named, not those that were cancelled; destroy clears the rest."""
    stage.rehearsal.play("create-fails")
    assert stage.deploy("ReservedConcurrency=on") == 1
    why = next(line for line in stage.said if "could not be created" in line)
    assert why.strip().startswith("PlaceOrder (AWS::Lambda::Function) could not be created: Specified Reserved")
    assert "Request ID" not in why and "--set ReservedConcurrency=off" in why
    assert "ROLLBACK_COMPLETE" in stage.text and "orderlab destroy" in stage.said[-1]
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_deploy_after_a_failed_one_deletes_what_it_left_first(stage) -> None:
    """A stack in ROLLBACK_COMPLETE can only be deleted."""
    stage.rehearsal.play("create-fails")
    assert stage.deploy("ReservedConcurrency=on") == 1
    assert stage.deploy("ReservedConcurrency=off") == 0  # the remedy that it named
    assert "left by a deploy that failed: deleting it first" in stage.text
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_bucket_that_fills_up_while_it_is_deleted_is_emptied_again(stage) -> None:
    """DELETE_FAILED on a full bucket is no end: it is emptied once more, and the deletion repeated."""
    assert stage.deploy() == 0
    stage.rehearsal.play("bucket-full")
    assert stage.destroy() == 0
    assert "DELETE_FAILED         ReceiptsBucket" in stage.text
    assert "a bucket was filled while the stack was being deleted" in stage.text
    assert stage.is_empty()


def test_old_versions_and_many_objects_are_emptied_too(stage, monkeypatch) -> None:
    """More keys than one call takes, versions and delete markers."""
    monkeypatch.setattr(emptying, "AT_ONCE", 4)
    assert stage.deploy() == 0
    s3, bucket = stage.account.client("s3"), "orderlab-receipts-123456789012-us-east-1"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="receipts/a.json", Body=body)
    s3.delete_object(Bucket=bucket, Key="receipts/a.json")
    for number in range(9):
        s3.put_object(Bucket=bucket, Key=f"receipts/{number}.json", Body=b"")
    assert stage.destroy() == 0
    assert f"emptied the bucket {bucket}: 12 objects" in stage.text
    assert stage.is_empty()


def test_a_late_log_group_is_deleted_too(stage) -> None:
    """API Gateway may log after the stack is gone; the group has the API's id, and no tag."""
    assert stage.deploy() == 0
    stage.rehearsal.play("late-logs")
    assert stage.destroy() == 0
    assert re.search(r"deleted the log group API-Gateway-Execution-Logs_\w+/live", stage.text)
    assert stage.is_empty()


def test_a_thing_that_is_left_fails_the_proof_by_its_name(stage) -> None:
    """The proof can fail: a queue with a name of ours, and none with a name that only looks like it."""
    sqs = stage.account.client("sqs")
    ours = sqs.create_queue(QueueName="orderlab-stock")["QueueUrl"]
    theirs = sqs.create_queue(QueueName="orderlab-ann-stock")["QueueUrl"]
    assert stage.destroy() == 1
    assert "left: https" in stage.text and "orderlab-ann" not in stage.text
    sqs.delete_queue(QueueUrl=ours)
    assert stage.destroy() == 0
    sqs.delete_queue(QueueUrl=theirs)
    assert stage.is_empty()


def test_another_learners_things_survive_a_destroy(stage) -> None:
    """orderlab and orderlab-ann share an account: the log groups and buckets of one are not the other's."""
    logs, s3 = stage.account.client("logs"), stage.account.client("s3")
    logs.create_log_group(logGroupName="/aws/lambda/orderlab-ann-place-order")
    logs.create_log_group(logGroupName="/aws/lambda/orderlab-place-order")
    s3.create_bucket(Bucket="orderlab-ann-receipts-123456789012-us-east-1")
    assert stage.destroy(answer="orderlab") == 0
    assert stage.rehearsal.left() == {
        "AWS::Logs::LogGroup": ["/aws/lambda/orderlab-ann-place-order"],
        "AWS::S3::Bucket": ["orderlab-ann-receipts-123456789012-us-east-1"],
    }
    stage.prefix = "orderlab-ann"
    assert stage.destroy(answer="orderlab-ann") == 0
    assert stage.is_empty()


def test_the_wrong_prefix_deletes_nothing(stage) -> None:
    """The question is answered with the prefix, not with yes."""
    assert stage.deploy() == 0
    before = stage.rehearsal.left()
    assert stage.destroy(answer="yes") == 1
    assert stage.said[-1] == "nothing was deleted" and stage.rehearsal.left() == before
    assert stage.destroy(answer="orderlab") == 0
    assert stage.is_empty()


def test_throttling_is_waited_out(stage) -> None:
    """What AWS refuses because it is busy is asked again; no event is lost or told twice."""
    stage.rehearsal.play("throttled")
    assert stage.deploy() == 0
    told = [line for line in stage.said if EVENT.match(line)]
    assert len(told) == len(set(told))
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_throttling_without_end_is_one_line(stage) -> None:
    """And the next deploy converges."""
    stage.rehearsal.play("too-busy")
    line = error_line(stage, stage.deploy)
    assert line.startswith("AWS is asked too much in account 123456789012, us-east-1, and waiting did not help")
    stage.rehearsal.play("smooth")
    assert stage.deploy() == 0
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_credentials_that_expire_in_the_middle_are_one_line_and_the_next_deploy_goes_on(stage) -> None:
    """AWS goes on without us: the repeated command watches the rest, from this operation's first event."""
    stage.rehearsal.play("expired-token")
    line = error_line(stage, stage.deploy)
    assert line.startswith("the AWS credentials have expired: log in to AWS again")
    stage.said.clear()
    assert stage.deploy() == 0  # they expire once, so that a rehearsal goes on without the login
    assert "watching it first" in stage.text and stage.said[-1].startswith("nothing to change")
    told = [line for line in stage.said if EVENT.match(line)]
    assert len(told) == len(set(told)) and EVENT.match(told[0]).group(1, 2) == ("CREATE_IN_PROGRESS", "orderlab")
    assert stage.destroy() == 0
    assert stage.is_empty()


@pytest.mark.parametrize("after", [1, 3])
def test_a_ctrl_c_while_watching_says_what_goes_on_and_destroy_takes_it_down(stage, after) -> None:
    """The stack is at work when we leave and when we come back with destroy."""

    def interrupt(seconds: float) -> None:
        if len(stage.waits) == after:
            raise KeyboardInterrupt

    stage.sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        stage.deploy()
    assert "AWS goes on" in stage.said[-1]
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_ctrl_c_during_a_destroy_is_finished_by_the_next(stage) -> None:
    """The second destroy finds the stack at its deletion and watches the rest."""
    assert stage.deploy() == 0
    done = len(stage.waits)

    def interrupt(seconds: float) -> None:
        if len(stage.waits) == done + 2:
            raise KeyboardInterrupt

    stage.sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        stage.destroy()
    assert stage.destroy() == 0
    assert "is being deleted already: watching" in stage.text
    assert stage.is_empty()


@pytest.mark.parametrize("ends", [KeyboardInterrupt, BrokenPipeError])
def test_an_end_at_the_question_leaves_nothing(ends, stage) -> None:
    """Ctrl-C, or nobody reads the output any more (`deploy | head`): as no does."""

    def end(question: str, answer: str | None) -> str:
        raise ends

    stage._ask = end
    with pytest.raises(ends):
        stage.deploy(answer="never")
    assert stage.is_empty()


def test_denied_access_is_one_line_that_names_the_right_and_leaves_nothing(stage) -> None:
    """The action, as a policy would allow it; the user's name stays out of it, and the bucket goes again by itself."""
    stage.rehearsal.play("access-denied")
    line = error_line(stage, stage.deploy)
    assert line.startswith("these credentials may not cloudformation:CreateChangeSet")
    assert "learner" not in line
    assert stage.is_empty()


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("wrong-account", "these credentials belong to account 999988887777, and you named 123456789012"),
        ("region-off", "the region us-east-1 is not enabled in this account"),
    ],
)
def test_the_account_is_checked_before_anything_is_made(stage, scenario, words) -> None:
    """A wrong account and a region that is off end the command before it has written anything."""
    stage.rehearsal.play(scenario)
    assert words in error_line(stage, stage.deploy)
    if scenario == "wrong-account":
        assert words in error_line(stage, stage.destroy)
    assert stage.is_empty()


def test_a_new_account_refuses_reserved_concurrency_and_warns_without_it(stage) -> None:
    """Ten concurrent executions: nothing can be reserved, and orders wait in their queues."""
    stage.rehearsal.play("new-account")
    line = error_line(stage, lambda: stage.deploy("ReservedConcurrency=on"))
    assert re.search(r"sets \d+ concurrent executions aside, and Lambda keeps 100 of the 10", line)
    assert stage.is_empty()
    assert stage.deploy(answer="no") == 1
    assert any(re.match(r"mind: the queues may call \d+ functions at once, and 10 ", one) for one in stage.said)
    assert stage.is_empty()


def test_access_logs_need_a_setting_of_the_account(stage) -> None:
    """Which no stack of a lab should change; an account without it is told so before anything is made."""
    with pytest.raises(Problem, match="AccessLogs=on needs a CloudWatch role for API Gateway"):
        checks.logging(stage.account, {"AccessLogs": "on"})
    checks.logging(stage.account, {"AccessLogs": "off"})
    checks.logging(stage.account, {})


def test_a_stack_of_somebody_elses_is_left_alone(another) -> None:
    """Neither deploy nor destroy nor status touches a stack of our name without our tag."""
    stage = another("name-taken")
    for run in (stage.deploy, stage.destroy, lambda: stage.status()):
        assert "was not deployed by this course: take another --prefix" in error_line(stage, run)
    assert list(stage.rehearsal.left()) == ["AWS::CloudFormation::Stack"]


def test_a_bucket_of_somebody_elses_is_left_alone(another) -> None:
    """Our bucket's name, without our tag."""
    stage = another("smooth")  # moto remembers the tags of a bucket of that name that is gone
    s3, bucket = stage.account.client("s3"), stage.account.target.artifacts
    s3.create_bucket(Bucket=bucket)
    for run in (stage.deploy, stage.destroy):
        assert f"the bucket {bucket} was not made by this course" in error_line(stage, run)
    s3.delete_bucket(Bucket=bucket)
    assert stage.is_empty()


def test_status_tells_state_age_cost_and_outputs(stage) -> None:
    """The cost is the standing cost of the estimate times the age."""
    assert stage.status() == 1
    assert stage.said[-1].startswith("no stack orderlab in account")
    assert stage.deploy() == 0
    stage.said.clear()
    assert stage.status() == 0
    assert stage.said[1].startswith("age 0 h ")  # by the clock of who answers: the played one is months behind
    stage.said.clear()
    assert stage.status(stage_created(stage) + timedelta(days=365 / 12 * 2)) == 0
    month = float(re.search(r"\$([\d.]+) a month while idle", stage.text).group(1))
    so_far = float(re.search(r"about \$([\d.]+)", stage.text).group(1))
    assert so_far == pytest.approx(2 * month, abs=0.02) and month > 0
    assert "CREATE_COMPLETE" in stage.said[0] and "age 60 days" in stage.said[1]
    assert "  output OrdersTableName = orderlab-orders" in stage.said
    assert stage.destroy() == 0
    assert stage.is_empty()


def stage_created(stage) -> datetime:
    """When the played stack was made."""
    found = stage.account.ask("cloudformation", "describe_stacks", StackName="orderlab")
    return found["Stacks"][0]["CreationTime"].astimezone(UTC)


def test_a_parameter_that_the_template_would_refuse_is_one_line(stage) -> None:
    """Before AWS is asked anything."""
    assert "write NAME=VALUE, with a name of AccessLogs, " in error_line(stage, lambda: stage.deploy("Chache=on"))
    assert "Saga is one of ['choreography', 'orchestration']" in error_line(stage, lambda: stage.deploy("Saga=x"))
    assert "is said with --prefix" in error_line(stage, lambda: stage.deploy("NamePrefix=x1"))
    assert stage.is_empty()


def test_events_come_in_pages_and_each_once(stage) -> None:
    """A creation has more events than a page holds, and who comes late reads them all, oldest first."""
    assert stage.deploy() == 0
    stack = stage.account.ask("cloudformation", "describe_stacks", StackName="orderlab")["Stacks"][0]["StackId"]
    events = progress.events_since(stage.account, stack, set())
    times = [event["Timestamp"] for event in events]
    assert len(events) > 200 and times == sorted(times)
    assert len({event["EventId"] for event in events}) == len(events)
    later = progress.events_since(stage.account, stack, {event["EventId"] for event in events[:150]})
    assert later == events[150:]
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_template_that_cannot_be_translated_is_one_line_and_leaves_nothing(stage, monkeypatch) -> None:
    """CloudFormation refuses it at the change set."""
    whole = read()
    broken = whole.text.replace("Handler: orderlab.orders.get.handler", "Handlr: orderlab.orders.get.handler")
    monkeypatch.setattr("orderlab.ops.aws.template.read", lambda: type(whole)(broken, whole.body))
    assert "Transform AWS::Serverless-2016-10-31 failed" in error_line(stage, stage.deploy)
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_long_change_set_is_cut_and_counted() -> None:
    """Forty rows, then the rest by type."""
    changes = tuple(changeset.Change("Add", f"Q{n}", "AWS::SQS::Queue") for n in range(50))
    assert str(changeset.ChangeSet("c", "s", changes)).endswith("… and 10 more: 10 AWS::SQS::Queue")


def test_the_commands_do_it_from_a_terminal_too(stage, capsys, tmp_path, monkeypatch) -> None:
    """Through their command lines, with the answers recorded; with nobody to answer nothing is begun."""
    where = ["--endpoint", stage.rehearsal.endpoint]
    monkeypatch.setattr("sys.stdin", None)
    for run in (deploy.main, destroy.main):
        with pytest.raises(Problem, match="nobody is there to answer: use a terminal, or add --yes"):
            run(where)
    assert stage.is_empty()
    assert deploy.main([*where, "--yes", "--record", str(tmp_path / "answers.jsonl")]) == 0
    assert "CreateChangeSet" in (tmp_path / "answers.jsonl").read_text()
    assert status.main(where) == 0
    assert destroy.main([*where, "--yes"]) == 0
    assert "nothing of orderlab is left" in capsys.readouterr().out
    with pytest.raises(Problem, match="cannot be written"):
        status.main([*where, "--record", str(tmp_path)])
    with pytest.raises(Problem, match="less than none"):
        deploy.main([*where, "--yes", "--orders-a-month", "-1"])
    stage.rehearsal.play("access-denied")
    with pytest.raises(Problem, match="may not cloudformation:CreateChangeSet"):
        deploy.main([*where, "--yes"])
    assert stage.is_empty()


def test_a_rehearsal_that_cannot_start_says_why() -> None:
    """A scenario that there is not."""
    with pytest.raises(Problem, match="there is no scenario 'nonsense'; there are smooth"):
        command.main(["nonsense"])


def test_names_of_ours_on_things_of_other_types_are_left_alone(stage) -> None:
    """A bucket that is called as a table of ours may be anybody's: it is neither shown, nor emptied, nor left."""
    logs, s3 = stage.account.client("logs"), stage.account.client("s3")
    logs.create_log_group(logGroupName="orderlab-relay")
    s3.create_bucket(Bucket="orderlab-orders")
    s3.put_object(Bucket="orderlab-orders", Key="precious", Body=b"1")
    assert stage.deploy() == 0
    assert stage.destroy(answer="orderlab") == 0
    assert "bucket orderlab-orders" not in stage.text
    assert stage.rehearsal.left() == {
        "AWS::Logs::LogGroup": ["orderlab-relay"],
        "AWS::S3::Bucket": ["orderlab-orders"],
    }
    s3.delete_object(Bucket="orderlab-orders", Key="precious")
    s3.delete_bucket(Bucket="orderlab-orders")
    logs.delete_log_group(logGroupName="orderlab-relay")
    assert stage.is_empty()


def test_a_question_that_may_not_be_asked_is_told_and_matters_only_where_the_stack_had_such_a_thing(
    stage, monkeypatch
) -> None:
    """Many accounts keep their bill to themselves: a stack without a budget can be proved gone all the same."""
    by_name = proof.by_name

    def but_no_budgets(account, names, type):
        if type == "AWS::Budgets::Budget":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeBudgets")
        return by_name(account, names, type)

    monkeypatch.setattr(proof, "by_name", but_no_budgets)
    assert stage.deploy() == 0
    assert stage.destroy() == 0
    assert re.search(r"AWS::Budgets::Budget +budgets describe_budgets +\?", stage.text)
    assert "these credentials may not ask for AWS::Budgets::Budget, and the stack had none" in stage.said
    assert stage.destroy() == 1  # nobody knows any more what the stack had
    assert stage.said[-1].startswith("nothing else is left; see for yourself")
    assert stage.deploy("Budget=somebody@example.com") == 0
    assert stage.destroy() == 1
    assert stage.is_empty()


def test_a_no_takes_nothing_from_who_deployed_meanwhile(stage) -> None:
    """Two at once: the other's stack needs the bucket with the code, and keeps it."""
    stage._ask = lambda question, answer: str(stage.deploy())  # the other one says yes while we think
    assert stage.deploy(answer="no") == 1
    assert any("-artifacts-" in name for name in stage.rehearsal.left()["AWS::S3::Bucket"])
    assert stage.deploy() == 0 and stage.said[-1].startswith("nothing to change")
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_yes_to_a_change_set_that_somebody_else_took_away_is_one_line(stage) -> None:
    """The other one said no, which took the change set of the same name back."""

    def meanwhile(question: str, answer: str | None) -> str:
        del stage._ask
        assert stage.deploy(answer="no") == 1
        return "yes"

    stage._ask = meanwhile
    line = error_line(stage, lambda: stage.deploy(answer="yes"))
    assert "somebody else deploys to orderlab, or another terminal of yours; run the same command again" in line
    assert stage.deploy() == 0
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_deletion_that_fails_while_a_deploy_watches_it_is_told(stage) -> None:
    """A stack in DELETE_FAILED takes no change set: the way out is destroy."""
    assert stage.deploy() == 0
    stage.rehearsal.play("bucket-full")
    stage.account.ask("cloudformation", "delete_stack", StackName="orderlab")
    stage.account.ask("cloudformation", "describe_stack_events", StackName="orderlab")
    line = error_line(stage, stage.deploy)
    assert "is DELETE_FAILED and cannot be deployed to: python3 -m orderlab destroy" in line
    stage.rehearsal.play("smooth")
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_rollback_that_failed_can_be_gone_on_with(stage, monkeypatch) -> None:
    """Deleting it would lose the orders: both ways are named."""
    assert stage.deploy() == 0
    kept = with_stack(monkeypatch, status="UPDATE_ROLLBACK_FAILED")
    assert "continue-update-rollback, which keeps what is in it; or take it down" in error_line(stage, stage.deploy)
    kept.undo()
    assert stage.destroy() == 0
    assert stage.is_empty()


def with_stack(monkeypatch, **changes) -> pytest.MonkeyPatch:
    """Every stack that is found is described otherwise."""
    found = stacks.stack_of
    monkeypatch.setattr(stacks, "stack_of", lambda told: replace(found(told), **changes))
    return monkeypatch


@pytest.mark.parametrize("status", sorted(stacks.UPDATABLE))
def test_parameters_are_kept_over_deploys_whatever_the_last_one_came_to(stage, monkeypatch, status) -> None:
    """What is not said stays as it is."""
    assert stage.deploy("Saga=orchestration") == 0
    kept = with_stack(monkeypatch, status=status)
    assert stage.deploy() == 0
    assert stage.said[-1].startswith("nothing to change")
    kept.undo()
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_protected_stack_loses_nothing(stage, monkeypatch) -> None:
    """Termination protection is seen before a bucket is emptied, and before anybody is asked."""
    assert stage.deploy() == 0
    s3, bucket = stage.account.client("s3"), "orderlab-receipts-123456789012-us-east-1"
    s3.put_object(Bucket=bucket, Key="receipts/a.json", Body=b"1")
    kept = with_stack(monkeypatch, protected=True)
    assert "has termination protection, and nothing was deleted" in error_line(stage, stage.destroy)
    assert s3.get_object(Bucket=bucket, Key="receipts/a.json")["Body"].read() == b"1"
    kept.undo()
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_stack_in_the_middle_of_an_update_is_watched_before_it_is_deleted(stage, monkeypatch) -> None:
    """CloudFormation refuses to delete it then, and its buckets would be emptied for nothing."""
    assert stage.deploy() == 0
    given = {"NamePrefix": "orderlab", "Saga": "orchestration"}
    changeset.execute(stage.account, deploy.prepare(stage.account, stage_code(), read(), given, False))
    with_stack(monkeypatch, status="UPDATE_IN_PROGRESS")  # the played one is done at the first look
    stage.said.clear()
    assert stage.destroy() == 0
    watched, _, deleted = stage.text.partition("DELETE_IN_PROGRESS")
    assert "is UPDATE_IN_PROGRESS: watching it first" in watched and "UPDATE_COMPLETE " in watched
    assert "DELETE_COMPLETE" in deleted and stage.is_empty()


def test_a_stack_under_review_is_ours_and_costs_nothing(stage) -> None:
    """What is left when a deploy is killed at its question: status knows it, destroy takes it away."""
    described = read()
    given = {"NamePrefix": "orderlab"}
    assert deploy.prepare(stage.account, stage_code(), described, given, True)
    assert stage.status() == 1
    assert "REVIEW_IN_PROGRESS" in stage.said[0] and "nothing of it exists" in stage.said[2]
    assert "cost so far" not in stage.text
    assert stage.destroy() == 0
    assert stage.is_empty()


def test_a_destroy_in_the_wrong_region_says_where_the_prefix_is(stage) -> None:
    """Nothing is left here, and something is there: the bucket of the deploy names its region."""
    s3 = stage.account.client("s3")
    s3.create_bucket(
        Bucket="orderlab-artifacts-123456789012-eu-west-1",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    assert stage.destroy() == 0
    assert stage.said[-1].startswith("mind: orderlab has a bucket in eu-west-1: what was deployed there is still there")
    s3.delete_bucket(Bucket="orderlab-artifacts-123456789012-eu-west-1")
    assert stage.is_empty()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ClientError({"Error": {"Code": "AccessDenied"}}, "Execute")])
def test_what_is_in_the_way_right_after_the_yes_leaves_nothing_either(stage, monkeypatch, error) -> None:
    """A Ctrl-C, or a right to execute that is missing: nothing has begun, so nothing stays."""

    def refused(account, wanted) -> None:
        raise error

    monkeypatch.setattr(changeset, "execute", refused)
    with pytest.raises(type(error)):
        stage.deploy(answer="yes")
    assert stage.said[-1].startswith("taken back") and stage.is_empty()
