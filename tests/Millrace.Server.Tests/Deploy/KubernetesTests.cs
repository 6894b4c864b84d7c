using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Millrace.Server.Tests.Deploy;

/// <summary>The manifests hang together: what refers to something refers to something that is there.</summary>
public sealed class KubernetesTests
{
    private static readonly List<YamlNode> Deployments = [.. DeployFiles.Manifests().Select(m => m.Object).Where(o => o.Scalar("kind") == "Deployment")];

    private static YamlNode Container(YamlNode deployment) => deployment.At("spec", "template", "spec", "containers", 0)!;

    private static string Settings(string name) =>
        DeployFiles.Manifests().Single(m => m.Object.Scalar("kind") == "ConfigMap").Object.Scalar("data", name) ?? throw new KeyNotFoundException(name);

    [Fact]
    public void Every_object_says_what_it_is() => Assert.All(DeployFiles.Manifests(), m =>
    {
        Assert.NotNull(m.Object.Scalar("apiVersion"));
        Assert.NotNull(m.Object.Scalar("kind"));
        Assert.StartsWith("millrace", m.Object.Scalar("metadata", "name"), StringComparison.Ordinal);
    });

    [Fact]
    public void There_is_a_deployment_for_each_role()
    {
        var roles = Deployments.Select(d => Container(d).At("env")!.Walk().OfType<YamlMappingNode>().Single(e => e.Scalar("name") == "MILLRACE_ROLE").Scalar("value"));

        Assert.Equal(["api", "scheduler", "worker"], roles.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_is_probed_where_it_listens()
    {
        Assert.Equal(3, Deployments.Count);
        foreach (var container in Deployments.Select(Container))
        {
            Assert.Equal(Settings("MILLRACE_PORT"), container.Scalar("ports", 0, "containerPort"));
            foreach (var (probe, path) in ((string, string)[])[("startupProbe", "/health/live"), ("livenessProbe", "/health/live"), ("readinessProbe", "/health/ready")])
            {
                Assert.Equal((path, container.Scalar("ports", 0, "name")), (container.Scalar(probe, "httpGet", "path"), container.Scalar(probe, "httpGet", "port")));
                Assert.Equal("localhost", container.Scalar(probe, "httpGet", "httpHeaders", 0, "value"));
            }
        }
    }

    [Fact]
    public void Each_is_given_longer_to_stop_than_it_drains()
    {
        var drain = int.Parse(Settings("MILLRACE_DRAIN_SECONDS"), CultureInfo.InvariantCulture);
        foreach (var deployment in Deployments)
        {
            var before = int.Parse(Container(deployment).Scalar("lifecycle", "preStop", "exec", "command", 1) ?? "0", CultureInfo.InvariantCulture);
            Assert.True(int.Parse(deployment.Scalar("spec", "template", "spec", "terminationGracePeriodSeconds")!, CultureInfo.InvariantCulture) > drain + before + 10);
        }
    }

    [Fact]
    public void Each_has_a_budget_for_disruptions_and_selects_its_own_pods()
    {
        var budgets = DeployFiles.Manifests().Select(m => m.Object).Where(o => o.Scalar("kind") == "PodDisruptionBudget").ToList();
        foreach (var deployment in Deployments)
        {
            var labels = deployment.At("spec", "template", "metadata", "labels");
            Assert.Equal(labels, deployment.At("spec", "selector", "matchLabels"));
            var budget = Assert.Single(budgets, b => Equals(b.At("spec", "selector", "matchLabels"), labels));
            Assert.True(budget.At("spec", "minAvailable") is not null || budget.At("spec", "maxUnavailable") is not null);
            if (budget.Scalar("spec", "minAvailable") is { } least)
                Assert.True(int.Parse(deployment.Scalar("spec", "replicas")!, CultureInfo.InvariantCulture) > int.Parse(least, CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void Services_and_scalers_point_at_deployments()
    {
        var names = Deployments.Select(d => d.Scalar("metadata", "name")).ToList();
        var labels = Deployments.Select(d => d.At("spec", "template", "metadata", "labels")).ToList();
        var objects = DeployFiles.Manifests().Select(m => m.Object).ToList();

        Assert.All(objects.Where(o => o.Scalar("kind") == "HorizontalPodAutoscaler"), o => Assert.Contains(o.Scalar("spec", "scaleTargetRef", "name"), names));
        Assert.All(objects.Where(o => o.Scalar("kind") == "Service"), o => Assert.Contains(o.At("spec", "selector"), labels));
    }

    [Fact]
    public void None_is_root_or_may_become_it() => Assert.All(Deployments, d =>
    {
        Assert.Equal("true", d.Scalar("spec", "template", "spec", "securityContext", "runAsNonRoot"));
        Assert.Equal("false", d.Scalar("spec", "template", "spec", "automountServiceAccountToken"));
        var container = Container(d);
        Assert.Equal(("false", "true", "ALL"), (container.Scalar("securityContext", "allowPrivilegeEscalation"), container.Scalar("securityContext", "readOnlyRootFilesystem"), container.Scalar("securityContext", "capabilities", "drop", 0)));
        Assert.NotNull(container.Scalar("resources", "requests", "cpu"));
        Assert.NotNull(container.Scalar("resources", "limits", "memory"));
        Assert.Equal("millrace", container.At("envFrom")!.Walk().Select(n => n.Scalar("secretRef", "name")).Single(n => n is not null));
    });
}
