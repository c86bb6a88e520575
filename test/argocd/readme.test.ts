import { describe, expect, test } from 'bun:test';
import { blockOf, commandsOf } from './readme.ts';

const page = (...lines: string[]) => ['Text.', '', '```sh', ...lines, '```', ''].join('\n');

describe('commandsOf', () => {
  test('takes blocks line by line, without what is said beside them', () => {
    expect(commandsOf(page('kubectl get pods        # all of them', 'git push'))).toEqual([
      'kubectl get pods',
      'git push',
    ]);
  });

  test('takes what stands in backticks, also over two lines, and no other word', () => {
    expect(commandsOf('Type `kubectl apply -k\nfolder`, see `base/`.')).toEqual(['kubectl apply -k folder']);
  });

  test('takes apart what a shell joins, but nothing in quotes', () => {
    const line = `old=$(kubectl get secret jwt) && kubectl exec pod -- bun -e 'a() && b | c' | grep x`;
    expect(commandsOf(page(line))).toEqual(['kubectl get secret jwt', `kubectl exec pod -- bun -e 'a() && b | c'`]);
  });

  test('takes each once', () => {
    expect(commandsOf(page('git push', 'git push'))).toEqual(['git push']);
  });
});

describe('blockOf', () => {
  test('is the block below a heading', async () => {
    expect(await blockOf('Break glass', 1)).toBe('kubectl apply -f gitops/bootstrap/root-minikube.yaml\n');
    expect(await blockOf('Break glass', 2)).toBe('kubectl apply -f gitops/bootstrap/root-cloud.yaml\n');
  });

  test('of a heading that has no more is an error', () => {
    expect(blockOf('Promote', 7)).rejects.toThrow('gitops/README.md has no block 8 below Promote');
  });
});
