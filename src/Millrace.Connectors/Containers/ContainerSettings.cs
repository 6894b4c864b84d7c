namespace Millrace.Connectors.Containers;

/// <summary>How containers are run: by the command line of docker or podman. Whether they may is said by the setting for processes.</summary>
public sealed record ContainerSettings
{
    /// <summary>The programs that are looked for on PATH, in order.</summary>
    public IReadOnlyList<string> Programs { get; init; } = ["docker", "podman"];

    /// <summary>Other processes run the containers, so what is installed beside this one says nothing.</summary>
    public bool RunElsewhere { get; init; }

    /// <summary>Options of the program itself, such as <c>--runtime runc</c>.</summary>
    public IReadOnlyList<string> ProgramOptions { get; init; } = [];

    /// <summary>Options of every container that is made, such as limits.</summary>
    public IReadOnlyList<string> CreateOptions { get; init; } = [];

    /// <summary>Variables of the server's own environment that the program gets: where its daemon and its credentials are.</summary>
    public IReadOnlyList<string> Environment { get; init; } = ["DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "CONTAINER_HOST", "XDG_RUNTIME_DIR", "REGISTRY_AUTH_FILE", "HOME"];
}
